//! Messages that a client receives.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::rates::AnnouncedRates;
use super::words;
use crate::{ClientId, EndReason, ErrorCode, MessageRates, RejectReason};

/// A message of the server, with the fields of its envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The message itself.
    pub message: Incoming,
    /// Its number. `None` in dialect 1, and for REGISTERED.
    pub seq: Option<u64>,
    /// The `id` of the request that it answers. `None` if it answers no request, or that had no
    /// `id`.
    pub reply_to: Option<String>,
}

/// One message of the server. Fields are those of [`ServerMessage`](crate::ServerMessage).
#[derive(Clone, PartialEq)]
#[allow(missing_docs)] // docs/protocol.md has each by its name.
pub enum Incoming {
    /// `resumable` is `None` in dialect 1.
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
    /// `reason` is `None` in dialect 1.
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
    /// `code` is `None` for a code that this program does not know.
    Error {
        code: Option<ErrorCode>,
        message: String,
        retry_after_ms: Option<u64>,
    },
    /// A message about a call whose id can be read, while what belongs to it cannot: it is missing,
    /// no string, or not Unicode (RFC 7493 section 2.1).
    Unreadable {
        call_id: String,
        part: UnreadablePart,
    },
    /// A type that this program does not know, or one whose fields it cannot read: to be ignored,
    /// but its number counts.
    Unknown,
}

/// The unreadable part of a message about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadablePart {
    /// The offer or the caller of INCOMING_CALL.
    Offer {
        /// The caller. `None` if that is unreadable too.
        caller_id: Option<ClientId>,
    },
    /// The answer of CALL_ACCEPTED.
    Answer,
    /// The candidate of ICE_CANDIDATE, or the data of CALL_SIGNAL.
    Message,
}

/// The fields of REGISTERED in dialect 2.
#[derive(Clone, PartialEq, Eq)]
pub struct Resumable {
    /// To be presented in the next REGISTER.
    pub resume_token: String,
    /// True if the earlier registration is resumed.
    pub resumed: bool,
    /// The longest message that the server accepts, in bytes. `None` if it does not announce one.
    pub message_bytes_max: Option<usize>,
    /// The rates at which the server accepts messages. A class that it does not announce, or not in
    /// positive whole numbers, has the default rate.
    pub rates: MessageRates,
}

/// A server for `RTCPeerConnection`, as `RTCIceServer` of the W3C names its fields.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct IceServer {
    /// Its URLs: `turn:…` and `stun:…` (RFC 7064, RFC 7065).
    #[serde(deserialize_with = "one_or_many")]
    pub urls: Vec<String>,
    /// `None` if the server needs no credential (STUN).
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
            Self::Unreadable { .. } => "unreadable",
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

/// Reads one message. Returns `None` if it is not a known message; ignore it then.
pub fn decode(text: &str) -> Option<Received> {
    let envelope: Envelope<'_> = serde_json::from_str(text).ok()?;
    let payload: Option<Payload<'_>> = serde_json::from_str(envelope.payload.get()).ok();
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

/// A field as it came. `None` if it is missing, or `null`.
type Field<'a> = Option<&'a RawValue>;

/// Every field that a payload may hold. Each is read when its message needs it, so that one that
/// cannot be read takes no other with it: what the other end wrote may be anything.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload<'a> {
    #[serde(borrow)]
    client_id: Field<'a>,
    #[serde(borrow)]
    target_id: Field<'a>,
    #[serde(borrow)]
    caller_id: Field<'a>,
    #[serde(borrow)]
    call_id: Field<'a>,
    #[serde(borrow)]
    sdp_offer: Field<'a>,
    #[serde(borrow)]
    sdp_answer: Field<'a>,
    #[serde(borrow)]
    candidate: Field<'a>,
    #[serde(borrow)]
    data: Field<'a>,
    #[serde(borrow)]
    public_key: Field<'a>,
    #[serde(borrow)]
    reason: Field<'a>,
    #[serde(borrow)]
    clock_ahead_seconds: Field<'a>,
    #[serde(borrow)]
    ice_servers: Field<'a>,
    #[serde(borrow)]
    ttl_seconds: Field<'a>,
    #[serde(borrow)]
    code: Field<'a>,
    #[serde(borrow)]
    message: Field<'a>,
    #[serde(borrow)]
    retry_after_ms: Field<'a>,
    #[serde(borrow)]
    protocol: Field<'a>,
    #[serde(borrow)]
    resume_token: Field<'a>,
    #[serde(borrow)]
    resumed: Field<'a>,
    #[serde(borrow)]
    max_message_bytes: Field<'a>,
    #[serde(borrow)]
    rates: Field<'a>,
}

fn read<'a, T: Deserialize<'a>>(field: Field<'a>) -> Option<T> {
    serde_json::from_str(field?.get()).ok()
}

fn client_id(field: Field<'_>) -> Option<ClientId> {
    ClientId::try_from(read::<Cow<'_, str>>(field)?.as_ref()).ok()
}

impl Payload<'_> {
    /// Reads the message. Returns `None` if the type is unknown, or a field that it needs is
    /// unreadable.
    fn message(&self, message_type: &str) -> Option<Incoming> {
        Some(match message_type {
            "REGISTERED" => Incoming::Registered {
                client_id: client_id(self.client_id)?,
                resumable: self.resumable(),
            },
            "CALL_INITIATED" => Incoming::CallInitiated {
                call_id: read(self.call_id)?,
                target_id: client_id(self.target_id)?,
                ice_servers: self.ice_servers(),
            },
            "CALL_RINGING" => Incoming::CallRinging { call_id: read(self.call_id)? },
            "INCOMING_CALL" => self.incoming_call(read(self.call_id)?),
            "CALL_ACCEPTED" => self.call_accepted(read(self.call_id)?),
            "CALL_REJECTED" => Incoming::CallRejected {
                call_id: read(self.call_id)?,
                reason: self.reject_reason(),
            },
            "CALL_ENDED" => Incoming::CallEnded {
                call_id: read(self.call_id)?,
                reason: words::end_reason(read::<Cow<'_, str>>(self.reason).as_deref()),
            },
            "ICE_CANDIDATE" => {
                let call_id = read(self.call_id)?;
                sealed(self.candidate, call_id, |call_id, candidate| Incoming::IceCandidate {
                    call_id,
                    candidate,
                })
            }
            "CALL_SIGNAL" => {
                let call_id = read(self.call_id)?;
                sealed(self.data, call_id, |call_id, data| Incoming::CallSignal { call_id, data })
            }
            "PKD_RESULT" => Incoming::PkdResult {
                client_id: client_id(self.client_id)?,
                // An unreadable key is as useless as the empty one.
                public_key: self.public_key.map(|key| read(Some(key)).unwrap_or_default()),
            },
            "TURN_CREDENTIALS" => Incoming::TurnCredentials {
                ice_servers: self.ice_servers(),
                ttl_seconds: read(self.ttl_seconds).unwrap_or_default(),
            },
            "HEARTBEAT_ACK" => Incoming::HeartbeatAck,
            "ERROR" => Incoming::Error {
                code: words::error_code(&read::<Cow<'_, str>>(self.code)?),
                message: read(self.message).unwrap_or_default(),
                retry_after_ms: read(self.retry_after_ms),
            },
            _ => return None,
        })
    }

    fn resumable(&self) -> Option<Resumable> {
        let dialect_two = read::<u64>(self.protocol) == Some(2);
        let resume_token = read(self.resume_token).filter(|_| dialect_two)?;
        let resumed = read(self.resumed).unwrap_or_default();
        let message_bytes_max = read(self.max_message_bytes);
        let rates = read::<AnnouncedRates<'_>>(self.rates).unwrap_or_default().usable();
        Some(Resumable { resume_token, resumed, message_bytes_max, rates })
    }

    fn incoming_call(&self, call_id: String) -> Incoming {
        let caller_id = client_id(self.caller_id);
        match (caller_id, read(self.sdp_offer)) {
            (Some(caller_id), Some(sdp_offer)) => {
                let ice_servers = self.ice_servers();
                Incoming::IncomingCall { call_id, caller_id, sdp_offer, ice_servers }
            }
            (caller_id, _) => {
                Incoming::Unreadable { call_id, part: UnreadablePart::Offer { caller_id } }
            }
        }
    }

    fn call_accepted(&self, call_id: String) -> Incoming {
        match read(self.sdp_answer) {
            Some(sdp_answer) => {
                Incoming::CallAccepted { call_id, sdp_answer, ice_servers: self.ice_servers() }
            }
            None => Incoming::Unreadable { call_id, part: UnreadablePart::Answer },
        }
    }

    fn reject_reason(&self) -> RejectReason {
        let name = read::<Cow<'_, str>>(self.reason);
        RejectReason::from_wire(name.as_deref(), read(self.clock_ahead_seconds))
    }

    fn ice_servers(&self) -> Vec<IceServer> {
        read(self.ice_servers).unwrap_or_default()
    }
}

/// A message of the other end, or that there was one.
fn sealed(
    field: Field<'_>,
    call_id: String,
    message: impl FnOnce(String, String) -> Incoming,
) -> Incoming {
    match read(field) {
        Some(text) => message(call_id, text),
        None => Incoming::Unreadable { call_id, part: UnreadablePart::Message },
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
