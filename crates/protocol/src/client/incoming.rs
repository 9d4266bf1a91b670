//! What a client hears.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::words;
use crate::{ClientId, EndReason, ErrorCode, RejectReason};

/// A message of the server, with what its envelope says.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// What it says.
    pub message: Incoming,
    /// Its number. None: dialect 1, or REGISTERED.
    pub seq: Option<u64>,
    /// The `id` of the request that it answers. None: it answers none, or that had no `id`.
    pub reply_to: Option<String>,
}

/// One message of the server. Fields are those of [`ServerMessage`](crate::ServerMessage).
#[derive(Clone, PartialEq)]
#[allow(missing_docs)] // docs/protocol.md has each by its name.
pub enum Incoming {
    /// `resumable` is None in dialect 1.
    Registered {
        client_id: ClientId,
        resumable: Option<Resumable>,
    },
    CallInitiated {
        call_id: String,
        target_id: ClientId,
        ice_servers: Vec<IceServer>,
    },
    CallRinging {
        call_id: String,
    },
    IncomingCall {
        call_id: String,
        caller_id: ClientId,
        sdp_offer: String,
        ice_servers: Vec<IceServer>,
    },
    CallAccepted {
        call_id: String,
        sdp_answer: String,
        ice_servers: Vec<IceServer>,
    },
    CallRejected {
        call_id: String,
        reason: RejectReason,
    },
    /// `reason` is None in dialect 1.
    CallEnded {
        call_id: String,
        reason: Option<EndReason>,
    },
    IceCandidate {
        call_id: String,
        candidate: String,
    },
    CallSignal {
        call_id: String,
        data: String,
    },
    PkdResult {
        client_id: ClientId,
        public_key: Option<String>,
    },
    TurnCredentials {
        ice_servers: Vec<IceServer>,
        ttl_seconds: u64,
    },
    HeartbeatAck,
    /// `code` is None where this program does not know it.
    Error {
        code: Option<ErrorCode>,
        message: String,
        retry_after_ms: Option<u64>,
    },
    /// A type that this program does not know, or one whose fields it cannot read: to be ignored,
    /// but its number counts.
    Unknown,
}

/// What REGISTERED says in dialect 2.
#[derive(Clone, PartialEq, Eq)]
pub struct Resumable {
    /// To be presented in the next REGISTER.
    pub resume_token: String,
    /// Whether the earlier registration goes on.
    pub resumed: bool,
    /// The longest message that the server takes, in bytes. None: it did not say.
    pub message_bytes_max: Option<usize>,
}

/// A server for `RTCPeerConnection`, as `RTCIceServer` of the W3C names its fields.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct IceServer {
    /// Where it is reached: `turn:…` and `stun:…` (RFC 7064, RFC 7065).
    #[serde(deserialize_with = "one_or_many")]
    pub urls: Vec<String>,
    /// None: it wants none (STUN).
    #[serde(default)]
    pub username: Option<String>,
    /// The password that goes with the user name.
    #[serde(default)]
    pub credential: Option<String>,
}

impl fmt::Debug for Incoming {
    /// The type alone: the rest must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registered { .. } => "REGISTERED",
            Self::CallInitiated { .. } => "CALL_INITIATED",
            Self::CallRinging { .. } => "CALL_RINGING",
            Self::IncomingCall { .. } => "INCOMING_CALL",
            Self::CallAccepted { .. } => "CALL_ACCEPTED",
            Self::CallRejected { .. } => "CALL_REJECTED",
            Self::CallEnded { .. } => "CALL_ENDED",
            Self::IceCandidate { .. } => "ICE_CANDIDATE",
            Self::CallSignal { .. } => "CALL_SIGNAL",
            Self::PkdResult { .. } => "PKD_RESULT",
            Self::TurnCredentials { .. } => "TURN_CREDENTIALS",
            Self::HeartbeatAck => "HEARTBEAT_ACK",
            Self::Error { .. } => "ERROR",
            Self::Unknown => "unknown",
        })
    }
}

impl fmt::Debug for IceServer {
    /// Without the credential, which must not end up in a log, and the user name, which has an id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Reads one message. None: it is none, and is to be ignored.
pub fn decode(text: &str) -> Option<Received> {
    let envelope: Envelope<'_> = serde_json::from_str(text).ok()?;
    let payload: Option<Payload> = serde_json::from_str(envelope.payload.get()).ok();
    let message = payload.and_then(|payload| payload.message(&envelope.message_type));
    let reply_to = envelope.reply_to.map(Cow::into_owned);
    Some(Received { message: message.unwrap_or(Incoming::Unknown), seq: envelope.seq, reply_to })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    message_type: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
    seq: Option<u64>,
    #[serde(borrow)]
    reply_to: Option<Cow<'a, str>>,
}

/// Every field that a payload may hold.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    client_id: Option<Id>,
    target_id: Option<Id>,
    caller_id: Option<Id>,
    call_id: Option<String>,
    sdp_offer: Option<String>,
    sdp_answer: Option<String>,
    candidate: Option<String>,
    data: Option<String>,
    public_key: Option<String>,
    reason: Option<String>,
    ice_servers: Option<Vec<IceServer>>,
    ttl_seconds: Option<u64>,
    code: Option<String>,
    message: Option<String>,
    retry_after_ms: Option<u64>,
    protocol: Option<u64>,
    resume_token: Option<String>,
    resumed: bool,
    max_message_bytes: Option<usize>,
}

#[derive(Deserialize)]
struct Id(#[serde(deserialize_with = "words::read_client_id")] ClientId);

impl Payload {
    /// None: the type is not known, or a field is missing.
    fn message(self, message_type: &str) -> Option<Incoming> {
        let ice_servers = self.ice_servers.unwrap_or_default();
        Some(match message_type {
            "REGISTERED" => {
                let dialect_two = self.protocol == Some(2);
                let resumable = self.resume_token.filter(|_| dialect_two).map(|resume_token| {
                    let (resumed, message_bytes_max) = (self.resumed, self.max_message_bytes);
                    Resumable { resume_token, resumed, message_bytes_max }
                });
                Incoming::Registered { client_id: self.client_id?.0, resumable }
            }
            "CALL_INITIATED" => Incoming::CallInitiated {
                call_id: self.call_id?,
                target_id: self.target_id?.0,
                ice_servers,
            },
            "CALL_RINGING" => Incoming::CallRinging { call_id: self.call_id? },
            "INCOMING_CALL" => Incoming::IncomingCall {
                call_id: self.call_id?,
                caller_id: self.caller_id?.0,
                sdp_offer: self.sdp_offer?,
                ice_servers,
            },
            "CALL_ACCEPTED" => Incoming::CallAccepted {
                call_id: self.call_id?,
                sdp_answer: self.sdp_answer?,
                ice_servers,
            },
            "CALL_REJECTED" => Incoming::CallRejected {
                call_id: self.call_id?,
                reason: words::read_reject_reason(self.reason.as_deref()),
            },
            "CALL_ENDED" => Incoming::CallEnded {
                call_id: self.call_id?,
                reason: words::end_reason(self.reason.as_deref()),
            },
            "ICE_CANDIDATE" => {
                Incoming::IceCandidate { call_id: self.call_id?, candidate: self.candidate? }
            }
            "CALL_SIGNAL" => Incoming::CallSignal { call_id: self.call_id?, data: self.data? },
            "PKD_RESULT" => {
                Incoming::PkdResult { client_id: self.client_id?.0, public_key: self.public_key }
            }
            "TURN_CREDENTIALS" => Incoming::TurnCredentials {
                ice_servers,
                ttl_seconds: self.ttl_seconds.unwrap_or_default(),
            },
            "HEARTBEAT_ACK" => Incoming::HeartbeatAck,
            "ERROR" => Incoming::Error {
                code: words::error_code(&self.code?),
                message: self.message.unwrap_or_default(),
                retry_after_ms: self.retry_after_ms,
            },
            _ => return None,
        })
    }
}

/// The W3C lets `urls` be one string.
fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Urls {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Urls::deserialize(from)? {
        Urls::One(url) => vec![url],
        Urls::Many(urls) => urls,
    })
}
