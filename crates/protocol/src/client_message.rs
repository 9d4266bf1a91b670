//! Messages from clients.

use std::borrow::Cow;
use std::fmt;

use crate::{ClientId, Dialect, Opaque, RejectReason};

/// A message of a client, with the id by which it wants the answer named.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'a> {
    /// The top-level `id`, which the answer repeats as `replyTo`. `None` if the client sent no
    /// `id`.
    pub id: Option<Opaque<'a>>,
    /// The message itself.
    pub message: ClientMessage<'a>,
}

/// One message from a client. `Debug` prints its type alone.
#[derive(Clone, PartialEq)]
pub enum ClientMessage<'a> {
    /// REGISTER: this connection is that client.
    // Boxed: it is rare, and every message would be as large as it.
    Register(Box<Registration<'a>>),
    /// One of the messages about a call.
    Call(CallMessage<'a>),
    /// PKD_REGISTER: put one's own public key into the directory.
    PkdRegister {
        /// The owner of the key; must be the registered client itself.
        client_id: ClientId,
        /// The key, opaque to the server.
        public_key: Opaque<'a>,
    },
    /// PKD_LOOKUP: look up a client's public key.
    PkdLookup {
        /// The owner of the key.
        client_id: ClientId,
    },
    /// TURN_CREDENTIALS: ask for fresh relay credentials.
    TurnCredentials,
    /// HEARTBEAT: for clients that cannot send WebSocket pings.
    Heartbeat,
    /// ACK: every message up to this number has arrived.
    Ack {
        /// The number.
        seq: u64,
    },
}

/// A client's REGISTER. `Debug` prints no token and no call id.
#[derive(Clone, PartialEq)]
pub struct Registration<'a> {
    /// The client that registers.
    pub client_id: ClientId,
    /// The dialect in which it is spoken to. One that asks for a later `protocol` is answered in dialect 2.
    pub dialect: Dialect,
    /// The token of the registration that it resumes. `None` if it begins a new one.
    pub resume_token: Option<Cow<'a, str>>,
    /// The number of the last message that it has received; 0 before the first.
    pub last_seq: u64,
    /// The calls that it believes to be in. Taken up when it cannot resume.
    pub calls: Vec<Presented<'a>>,
}

impl Registration<'_> {
    /// Returns true if the client presents this call.
    pub fn presents(&self, call_id: &str) -> bool {
        self.calls.iter().any(|call| call.call_id == call_id)
    }
}

/// A call that a client presents when it registers. `Debug` prints no call id.
#[derive(Clone, PartialEq)]
pub struct Presented<'a> {
    /// Which call.
    pub call_id: Cow<'a, str>,
    /// True if it was answered, as far as the client knows.
    pub answered: bool,
}

/// A message about a call. `Debug` prints its type alone.
#[derive(Clone, PartialEq)]
pub enum CallMessage<'a> {
    /// CALL_INITIATE: ring another client.
    CallInitiate {
        /// Whom to call.
        target_id: ClientId,
        /// The caller's offer.
        sdp_offer: Opaque<'a>,
    },
    /// CALL_ACCEPT: the callee answers.
    CallAccept {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The callee's answer.
        sdp_answer: Opaque<'a>,
    },
    /// CALL_RINGING: the callee's device alerts.
    CallRinging {
        /// Which call.
        call_id: Cow<'a, str>,
    },
    /// CALL_REJECT: the callee declines.
    CallReject {
        /// Which call.
        call_id: Cow<'a, str>,
        /// Why.
        reason: RejectReason,
    },
    /// CALL_END: either end hangs up.
    CallEnd {
        /// Which call.
        call_id: Cow<'a, str>,
    },
    /// ICE_CANDIDATE: a candidate for the other end.
    IceCandidate {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The candidate.
        candidate: Opaque<'a>,
    },
    /// CALL_SIGNAL: any other data that the ends exchange during a call.
    CallSignal {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The data, opaque to the server.
        data: Opaque<'a>,
    },
}

/// The type of a client's message, as a value of its own: what limits and metrics count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// REGISTER
    Register,
    /// CALL_INITIATE
    CallInitiate,
    /// CALL_RINGING
    CallRinging,
    /// CALL_ACCEPT
    CallAccept,
    /// CALL_REJECT
    CallReject,
    /// CALL_END
    CallEnd,
    /// ICE_CANDIDATE
    IceCandidate,
    /// CALL_SIGNAL
    CallSignal,
    /// PKD_REGISTER
    PkdRegister,
    /// PKD_LOOKUP
    PkdLookup,
    /// TURN_CREDENTIALS
    TurnCredentials,
    /// HEARTBEAT
    Heartbeat,
    /// ACK
    Ack,
}

impl MessageType {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Register,
        Self::CallInitiate,
        Self::CallRinging,
        Self::CallAccept,
        Self::CallReject,
        Self::CallEnd,
        Self::IceCandidate,
        Self::CallSignal,
        Self::PkdRegister,
        Self::PkdLookup,
        Self::TurnCredentials,
        Self::Heartbeat,
        Self::Ack,
    ];

    /// The type as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "REGISTER",
            Self::CallInitiate => "CALL_INITIATE",
            Self::CallRinging => "CALL_RINGING",
            Self::CallAccept => "CALL_ACCEPT",
            Self::CallReject => "CALL_REJECT",
            Self::CallEnd => "CALL_END",
            Self::IceCandidate => "ICE_CANDIDATE",
            Self::CallSignal => "CALL_SIGNAL",
            Self::PkdRegister => "PKD_REGISTER",
            Self::PkdLookup => "PKD_LOOKUP",
            Self::TurnCredentials => "TURN_CREDENTIALS",
            Self::Heartbeat => "HEARTBEAT",
            Self::Ack => "ACK",
        }
    }

    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|message_type| message_type.as_str() == text)
    }

    /// The required fields of the payload, in words for the developer of a client.
    pub(crate) const fn shape(self) -> &'static str {
        match self {
            Self::Register => {
                "REGISTER needs clientId: 1 to 64 characters of a-zA-Z0-9_-; protocol, where it is \
                 there, is a whole number from 1; with 2 or more also resumeToken (string), lastSeq (whole number) and calls (at most 64 objects of \
                 callId and answered) may be there"
            }
            Self::CallInitiate => {
                "CALL_INITIATE needs targetId (a client id) and sdpOffer (string)"
            }
            Self::CallAccept => "CALL_ACCEPT needs callId and sdpAnswer (strings)",
            Self::CallRinging => "CALL_RINGING needs callId (string)",
            Self::CallReject => "CALL_REJECT needs callId (string)",
            Self::CallEnd => "CALL_END needs callId (string)",
            Self::CallSignal => "CALL_SIGNAL needs callId and data (strings)",
            Self::Ack => "ACK needs seq (a whole number)",
            Self::IceCandidate => "ICE_CANDIDATE needs callId and candidate (strings)",
            Self::PkdRegister => "PKD_REGISTER needs clientId and publicKey (string)",
            Self::PkdLookup => "PKD_LOOKUP needs clientId",
            Self::TurnCredentials => "TURN_CREDENTIALS needs an object as its payload",
            Self::Heartbeat => "HEARTBEAT needs an object as its payload",
        }
    }
}

impl fmt::Debug for ClientMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message_type().as_str())
    }
}

impl fmt::Debug for CallMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message_type().as_str())
    }
}

impl fmt::Debug for Registration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Registration");
        out.field("dialect", &self.dialect).field("last_seq", &self.last_seq);
        out.field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("answered", &self.answered).finish_non_exhaustive()
    }
}

impl ClientMessage<'_> {
    /// Which type of message this is.
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Register(_) => MessageType::Register,
            Self::Call(call) => call.message_type(),
            Self::PkdRegister { .. } => MessageType::PkdRegister,
            Self::PkdLookup { .. } => MessageType::PkdLookup,
            Self::TurnCredentials => MessageType::TurnCredentials,
            Self::Heartbeat => MessageType::Heartbeat,
            Self::Ack { .. } => MessageType::Ack,
        }
    }
}

impl<'a> CallMessage<'a> {
    /// The field for the other end, with its name. `None` if it has no such field.
    pub const fn opaque_field(&self) -> Option<(&'static str, Opaque<'a>)> {
        match self {
            Self::CallInitiate { sdp_offer, .. } => Some(("sdpOffer", *sdp_offer)),
            Self::CallAccept { sdp_answer, .. } => Some(("sdpAnswer", *sdp_answer)),
            Self::IceCandidate { candidate, .. } => Some(("candidate", *candidate)),
            Self::CallSignal { data, .. } => Some(("data", *data)),
            Self::CallRinging { .. } | Self::CallReject { .. } | Self::CallEnd { .. } => None,
        }
    }

    /// Which type of message this is.
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::CallInitiate { .. } => MessageType::CallInitiate,
            Self::CallAccept { .. } => MessageType::CallAccept,
            Self::CallRinging { .. } => MessageType::CallRinging,
            Self::CallReject { .. } => MessageType::CallReject,
            Self::CallEnd { .. } => MessageType::CallEnd,
            Self::IceCandidate { .. } => MessageType::IceCandidate,
            Self::CallSignal { .. } => MessageType::CallSignal,
        }
    }
}
