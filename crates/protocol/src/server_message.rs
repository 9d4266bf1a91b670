//! Messages from the server.
//!
//! Nothing here is escaped on the way out, because nothing needs it: client ids and call ids have
//! alphabets without special characters, opaque fields are still the JSON they came as, the rest
//! is ours.

use std::borrow::Cow;
use std::fmt;

use crate::{
    ClientId, Dialect, EndReason, ErrorCode, MessageClass, MessageRates, Opaque, Rate,
    RejectReason, TextSink,
};

/// One message to a client. `Debug` prints no call id, no credential and no token.
#[derive(Clone, PartialEq)]
pub enum ServerMessage<'a> {
    /// REGISTERED: the id is this connection's now.
    Registered(Registered<'a>),
    /// CALL_INITIATED: the call has an id, and the callee is being rung.
    CallInitiated {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The client that is rung.
        target_id: ClientId,
        /// A JSON array for `RTCPeerConnection`. `None` if no TURN is configured.
        ice_servers: Option<Cow<'a, str>>,
    },
    /// CALL_RINGING: the callee's device alerts.
    CallRinging {
        /// Which call.
        call_id: Cow<'a, str>,
    },
    /// INCOMING_CALL: a client is calling.
    IncomingCall {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The client that calls.
        caller_id: ClientId,
        /// The caller's offer.
        sdp_offer: Opaque<'a>,
        /// A JSON array for `RTCPeerConnection`. `None` if no TURN is configured.
        ice_servers: Option<Cow<'a, str>>,
    },
    /// CALL_ACCEPTED: the callee answered.
    CallAccepted {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The callee's answer.
        sdp_answer: Opaque<'a>,
        /// A JSON array for `RTCPeerConnection`. `None` if no TURN is configured.
        ice_servers: Option<Cow<'a, str>>,
    },
    /// CALL_REJECTED: the callee declined, or is busy.
    CallRejected {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The reason; sent in dialect 2.
        reason: RejectReason,
    },
    /// CALL_ENDED: the call is over.
    CallEnded {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The reason; sent in dialect 2.
        reason: EndReason,
    },
    /// ICE_CANDIDATE: a candidate of the other end.
    IceCandidate {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The candidate.
        candidate: Opaque<'a>,
    },
    /// CALL_SIGNAL: something else of the other end.
    CallSignal {
        /// Which call.
        call_id: Cow<'a, str>,
        /// The data.
        data: Opaque<'a>,
    },
    /// PKD_RESULT: what the directory holds.
    PkdResult {
        /// The owner of the key.
        client_id: ClientId,
        /// The key. `None` (`null`) if the directory knows no key for this id.
        public_key: Option<Opaque<'a>>,
    },
    /// TURN_CREDENTIALS: fresh relay credentials.
    TurnCredentials {
        /// A JSON array for `RTCPeerConnection`; empty when no TURN is configured.
        ice_servers: Cow<'a, str>,
        /// The lifetime of the credentials in seconds; 0 if there are no credentials.
        ttl_seconds: u64,
    },
    /// HEARTBEAT_ACK: the answer to HEARTBEAT.
    HeartbeatAck,
    /// ERROR: a request was refused.
    Error {
        /// Which rule.
        code: ErrorCode,
        /// In words, for the developer of a client.
        message: Cow<'static, str>,
        /// The time after which a retry may succeed, in milliseconds; sent in dialect 2. `None` if
        /// a retry does not help.
        retry_after_ms: Option<u64>,
    },
}

/// The content of REGISTERED.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered<'a> {
    /// The registered client.
    pub client_id: ClientId,
    /// The fields of dialect 2. `None` in dialect 1.
    pub resumption: Option<Resumption<'a>>,
}

/// The means to resume a registration of dialect 2 when its connection is lost. `Debug` prints no
/// token.
#[derive(Clone, PartialEq)]
pub struct Resumption<'a> {
    /// Presented in the next REGISTER, it resumes this registration.
    pub resume_token: Cow<'a, str>,
    /// True if an earlier registration was resumed: the messages that did not arrive follow.
    pub resumed: bool,
    /// After how much silence the server pings, in seconds.
    pub heartbeat_seconds: u64,
    /// The largest message that the server takes, in bytes.
    pub message_bytes_max: usize,
    /// The rates of this connection's messages.
    pub rates: MessageRates,
}

/// A message as it is sent: in a dialect, numbered, with the `id` of the request that it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<'a> {
    /// The message.
    pub message: ServerMessage<'a>,
    /// The dialect of the receiver: dialect 1 gets documented fields only.
    pub dialect: Dialect,
    /// Its number. `None` in dialect 1, and before the registration.
    pub seq: Option<u64>,
    /// The request's `id`, sent as `replyTo`. `None` if that had no `id`, or this answers no
    /// request.
    pub reply_to: Option<Opaque<'a>>,
}

impl fmt::Debug for ServerMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct(self.wire_type());
        match self {
            Self::CallRejected { reason, .. } => out.field("reason", reason),
            Self::CallEnded { reason, .. } => out.field("reason", reason),
            Self::Error { code, message, .. } => out.field("code", code).field("message", message),
            _ => &mut out,
        };
        out.finish_non_exhaustive()
    }
}

impl fmt::Debug for Resumption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumption").field("resumed", &self.resumed).finish_non_exhaustive()
    }
}

impl<'a> From<ServerMessage<'a>> for Reply<'a> {
    fn from(message: ServerMessage<'a>) -> Self {
        Self { message, dialect: Dialect::One, seq: None, reply_to: None }
    }
}

impl Reply<'_> {
    /// Writes the text of the message, piece by piece.
    pub fn encode(&self, out: &mut impl TextSink) {
        out.put(r#"{"type":""#);
        out.put(self.message.wire_type());
        out.put(r#"","payload":{"#);
        self.message.encode_payload(self.dialect, out);
        out.put("}");
        if let Some(seq) = self.seq {
            out.put(r#","seq":"#);
            number(out, seq);
        }
        if let Some(id) = self.reply_to {
            out.put(r#","replyTo":"#);
            out.put(id.as_json());
        }
        out.put("}");
    }

    /// The length of the text in bytes.
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
            Self::Registered(_) => "REGISTERED",
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
        }
    }

    fn encode_payload(&self, dialect: Dialect, out: &mut impl TextSink) {
        let verbose = dialect == Dialect::Two;
        match self {
            Self::Registered(registered) => registered.encode(out),
            Self::CallInitiated { call_id, target_id, ice_servers } => {
                string(out, r#""callId":"#, call_id);
                string(out, r#","targetId":"#, target_id.as_str());
                optional_ice_servers(out, ice_servers.as_deref());
            }
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
            Self::CallRinging { call_id } => string(out, r#""callId":"#, call_id),
            Self::CallRejected { call_id, reason } => {
                string(out, r#""callId":"#, call_id);
                optional_reason(out, verbose.then_some(reason.as_str()));
                if let (true, Some(seconds)) = (verbose, reason.clock_ahead_seconds()) {
                    out.put(r#","clockAheadSeconds":"#);
                    out.put(if seconds < 0 { "-" } else { "" });
                    number(out, seconds.unsigned_abs().into());
                }
            }
            Self::CallEnded { call_id, reason } => {
                string(out, r#""callId":"#, call_id);
                optional_reason(out, verbose.then_some(reason.as_str()));
            }
            Self::IceCandidate { call_id, candidate } => {
                string(out, r#""callId":"#, call_id);
                json(out, r#","candidate":"#, candidate.as_json());
            }
            Self::CallSignal { call_id, data } => {
                string(out, r#""callId":"#, call_id);
                json(out, r#","data":"#, data.as_json());
            }
            Self::PkdResult { client_id, public_key } => {
                string(out, r#""clientId":"#, client_id.as_str());
                json(out, r#","publicKey":"#, public_key.map_or("null", Opaque::as_json));
            }
            Self::TurnCredentials { ice_servers, ttl_seconds } => {
                json(out, r#""iceServers":"#, ice_servers);
                out.put(r#","ttlSeconds":"#);
                number(out, *ttl_seconds);
            }
            Self::HeartbeatAck => {}
            Self::Error { code, message, retry_after_ms } => {
                string(out, r#""code":"#, code.as_str());
                string(out, r#","message":"#, message);
                if let (true, Some(retry_after_ms)) = (verbose, retry_after_ms) {
                    out.put(r#","retryAfterMs":"#);
                    number(out, *retry_after_ms);
                }
            }
        }
    }
}

impl Registered<'_> {
    fn encode(&self, out: &mut impl TextSink) {
        string(out, r#""clientId":"#, self.client_id.as_str());
        let Some(resumption) = &self.resumption else { return };
        out.put(r#","protocol":2"#);
        string(out, r#","resumeToken":"#, &resumption.resume_token);
        json(out, r#","resumed":"#, if resumption.resumed { "true" } else { "false" });
        out.put(r#","heartbeatSeconds":"#);
        number(out, resumption.heartbeat_seconds);
        out.put(r#","maxMessageBytes":"#);
        number(out, resumption.message_bytes_max as u64);
        out.put(r#","rates":{"#);
        for (at, class) in MessageClass::ALL.into_iter().enumerate() {
            out.put(if at == 0 { "\"" } else { ",\"" });
            out.put(class.as_str());
            out.put("\":");
            rate(out, resumption.rates.of(class));
        }
        out.put("}");
    }
}

/// A rate. Its interval is rounded up: a client that keeps to it is never too fast.
fn rate(out: &mut impl TextSink, rate: Rate) {
    out.put(r#"{"burst":"#);
    number(out, rate.burst().into());
    out.put(r#","intervalMs":"#);
    let millis = rate.interval().as_micros().div_ceil(1000);
    number(out, u64::try_from(millis).unwrap_or(u64::MAX));
    out.put("}");
}

/// A number in decimal, without an allocation.
fn number(out: &mut impl TextSink, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    // Digits are ASCII.
    out.put(std::str::from_utf8(&digits[at..]).unwrap_or_default());
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

fn optional_reason(out: &mut impl TextSink, reason: Option<&str>) {
    if let Some(reason) = reason {
        string(out, r#","reason":"#, reason);
    }
}

fn optional_ice_servers(out: &mut impl TextSink, ice_servers: Option<&str>) {
    if let Some(ice_servers) = ice_servers {
        json(out, r#","iceServers":"#, ice_servers);
    }
}
