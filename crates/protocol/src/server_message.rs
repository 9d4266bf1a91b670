//! What the server sends.
//!
//! Nothing here is escaped on the way out, because nothing needs it: client ids and call ids have
//! alphabets without special characters, opaque fields are still the JSON they came as, the rest
//! is ours.

use std::borrow::Cow;

use crate::{ClientId, ErrorCode, Opaque, TextSink};

/// One message to a client.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerMessage<'a> {
    /// REGISTERED: the id is this connection's now.
    Registered {
        /// Who is registered.
        client_id: ClientId,
    },
    /// INCOMING_CALL: somebody rings.
    IncomingCall {
        /// Which call.
        call_id: Cow<'a, str>,
        /// Who rings.
        caller_id: ClientId,
        /// The caller's offer.
        sdp_offer: Opaque<'a>,
        /// A JSON array for `RTCPeerConnection`. None: no TURN is configured.
        ice_servers: Option<Cow<'a, str>>,
    },
    /// CALL_ACCEPTED: the callee answered.
    CallAccepted {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The callee's answer.
        sdp_answer: Opaque<'a>,
        /// A JSON array for `RTCPeerConnection`. None: no TURN is configured.
        ice_servers: Option<Cow<'a, str>>,
    },
    /// CALL_REJECTED: the callee declined, or is busy.
    CallRejected {
        /// Which call.
        call_id: Cow<'a, str>,
    },
    /// CALL_ENDED: the call is over.
    CallEnded {
        /// Which call.
        call_id: Cow<'a, str>,
    },
    /// ICE_CANDIDATE: a candidate of the other end.
    IceCandidate {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The candidate.
        candidate: Opaque<'a>,
    },
    /// PKD_RESULT: what the directory holds.
    PkdResult {
        /// Whose key.
        client_id: ClientId,
        /// The key. None (`null`): the directory knows no key for this id.
        public_key: Option<Opaque<'a>>,
    },
    /// TURN_CREDENTIALS: fresh relay credentials.
    TurnCredentials {
        /// A JSON array for `RTCPeerConnection`; empty when no TURN is configured.
        ice_servers: Cow<'a, str>,
        /// How long the credentials live, in seconds; 0 when there are none.
        ttl_seconds: u64,
    },
    /// HEARTBEAT_ACK: heard you.
    HeartbeatAck,
    /// ERROR: a request was refused.
    Error {
        /// Which rule.
        code: ErrorCode,
        /// In words, for the developer of a client.
        message: &'static str,
    },
}

/// A message with the `id` of the request that it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<'a> {
    /// What is said.
    pub message: ServerMessage<'a>,
    /// The request's `id`, sent as `replyTo`. None: it had none, or this answers no request.
    pub reply_to: Option<Opaque<'a>>,
}

impl<'a> From<ServerMessage<'a>> for Reply<'a> {
    fn from(message: ServerMessage<'a>) -> Self {
        Self { message, reply_to: None }
    }
}

impl Reply<'_> {
    /// Writes the text of the message, piece by piece.
    pub fn encode(&self, out: &mut impl TextSink) {
        out.put(r#"{"type":""#);
        out.put(self.message.wire_type());
        out.put(r#"","payload":{"#);
        self.message.encode_payload(out);
        out.put("}");
        if let Some(id) = self.reply_to {
            out.put(r#","replyTo":"#);
            out.put(id.as_json());
        }
        out.put("}");
    }

    /// How long the text is, in bytes.
    pub fn encoded_bytes(&self) -> usize {
        let mut bytes = 0;
        self.encode(&mut bytes);
        bytes
    }
}

impl ServerMessage<'_> {
    /// The `type` on the wire.
    pub const fn wire_type(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "REGISTERED",
            Self::IncomingCall { .. } => "INCOMING_CALL",
            Self::CallAccepted { .. } => "CALL_ACCEPTED",
            Self::CallRejected { .. } => "CALL_REJECTED",
            Self::CallEnded { .. } => "CALL_ENDED",
            Self::IceCandidate { .. } => "ICE_CANDIDATE",
            Self::PkdResult { .. } => "PKD_RESULT",
            Self::TurnCredentials { .. } => "TURN_CREDENTIALS",
            Self::HeartbeatAck => "HEARTBEAT_ACK",
            Self::Error { .. } => "ERROR",
        }
    }

    fn encode_payload(&self, out: &mut impl TextSink) {
        match self {
            Self::Registered { client_id } => string(out, r#""clientId":"#, client_id.as_str()),
            Self::IncomingCall { call_id, caller_id, sdp_offer, ice_servers } => {
                string(out, r#""callId":"#, call_id);
                string(out, r#","callerId":"#, caller_id.as_str());
                json(out, r#","sdpOffer":"#, sdp_offer.as_json());
                optional_ice_servers(out, ice_servers.as_deref());
            }
            Self::CallAccepted { call_id, sdp_answer, ice_servers } => {
                string(out, r#""callId":"#, call_id);
                json(out, r#","sdpAnswer":"#, sdp_answer.as_json());
                optional_ice_servers(out, ice_servers.as_deref());
            }
            Self::CallRejected { call_id } | Self::CallEnded { call_id } => {
                string(out, r#""callId":"#, call_id);
            }
            Self::IceCandidate { call_id, candidate } => {
                string(out, r#""callId":"#, call_id);
                json(out, r#","candidate":"#, candidate.as_json());
            }
            Self::PkdResult { client_id, public_key } => {
                string(out, r#""clientId":"#, client_id.as_str());
                json(out, r#","publicKey":"#, public_key.map_or("null", Opaque::as_json));
            }
            Self::TurnCredentials { ice_servers, ttl_seconds } => {
                json(out, r#""iceServers":"#, ice_servers);
                json(out, r#","ttlSeconds":"#, &ttl_seconds.to_string());
            }
            Self::HeartbeatAck => {}
            Self::Error { code, message } => {
                string(out, r#""code":"#, code.as_str());
                string(out, r#","message":"#, message);
            }
        }
    }
}

/// A field whose value needs quotes but no escapes.
fn string(out: &mut impl TextSink, key: &str, value: &str) {
    out.put(key);
    out.put("\"");
    out.put(value);
    out.put("\"");
}

/// A field whose value is JSON already.
fn json(out: &mut impl TextSink, key: &str, value: &str) {
    out.put(key);
    out.put(value);
}

fn optional_ice_servers(out: &mut impl TextSink, ice_servers: Option<&str>) {
    if let Some(ice_servers) = ice_servers {
        json(out, r#","iceServers":"#, ice_servers);
    }
}
