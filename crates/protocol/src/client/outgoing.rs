//! Messages that a client sends, as text.

use std::fmt;

use serde::Serialize;

use super::words;
use crate::{ClientId, MessageType, RejectReason};

/// One message of a client. Fields are those of [`ClientMessage`](crate::ClientMessage).
#[derive(Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "payload", rename_all_fields = "camelCase")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // docs/protocol.md has each by its name.
pub enum Outgoing {
    Register {
        #[serde(serialize_with = "words::client_id")]
        client_id: ClientId,
        protocol: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        resume_token: Option<String>,
        last_seq: u64,
        calls: Vec<PresentedCall>,
    },
    CallInitiate {
        #[serde(serialize_with = "words::client_id")]
        target_id: ClientId,
        sdp_offer: String,
    },
    CallRinging {
        call_id: String,
    },
    CallAccept {
        call_id: String,
        sdp_answer: String,
    },
    CallReject {
        call_id: String,
        #[serde(flatten, serialize_with = "words::reject_reason")]
        reason: RejectReason,
    },
    CallEnd {
        call_id: String,
    },
    IceCandidate {
        call_id: String,
        candidate: String,
    },
    CallSignal {
        call_id: String,
        data: String,
    },
    PkdRegister {
        #[serde(serialize_with = "words::client_id")]
        client_id: ClientId,
        public_key: String,
    },
    PkdLookup {
        #[serde(serialize_with = "words::client_id")]
        client_id: ClientId,
    },
    TurnCredentials {},
    Heartbeat {},
    Ack {
        seq: u64,
    },
}

/// A call that a client believes to be in, as REGISTER presents it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PresentedCall {
    /// Which call.
    pub call_id: String,
    /// True if it was answered, as far as the client knows.
    pub answered: bool,
}

impl fmt::Debug for Outgoing {
    /// The type alone: the rest must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message_type().as_str())
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(flatten)]
    message: &'a Outgoing,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl Outgoing {
    /// The text of the message. `id` is the one that its answer repeats; `None` if no answer is
    /// awaited.
    pub fn encode(&self, id: Option<&str>) -> String {
        // Strings and numbers in structs always are JSON.
        serde_json::to_string(&Envelope { message: self, id }).unwrap_or_default()
    }

    /// Which type of message this is.
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Register { .. } => MessageType::Register,
            Self::CallInitiate { .. } => MessageType::CallInitiate,
            Self::CallRinging { .. } => MessageType::CallRinging,
            Self::CallAccept { .. } => MessageType::CallAccept,
            Self::CallReject { .. } => MessageType::CallReject,
            Self::CallEnd { .. } => MessageType::CallEnd,
            Self::IceCandidate { .. } => MessageType::IceCandidate,
            Self::CallSignal { .. } => MessageType::CallSignal,
            Self::PkdRegister { .. } => MessageType::PkdRegister,
            Self::PkdLookup { .. } => MessageType::PkdLookup,
            Self::TurnCredentials {} => MessageType::TurnCredentials,
            Self::Heartbeat {} => MessageType::Heartbeat,
            Self::Ack { .. } => MessageType::Ack,
        }
    }

    /// The call that it is about. `None` if it is about no call, or about one without an id yet.
    pub fn call_id(&self) -> Option<&str> {
        match self {
            Self::CallRinging { call_id }
            | Self::CallAccept { call_id, .. }
            | Self::CallReject { call_id, .. }
            | Self::CallEnd { call_id }
            | Self::IceCandidate { call_id, .. }
            | Self::CallSignal { call_id, .. } => Some(call_id),
            _ => None,
        }
    }
}
