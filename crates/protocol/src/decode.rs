//! Text → [`Request`], in one pass that borrows.
//!
//! `type` may stand before or after `payload`, so the pass collects every field that any message
//! knows, each as a raw slice, and reads them by type afterwards. Fields that the type does not
//! know are ignored, whatever they hold.

use std::borrow::Cow;

use serde::Deserialize;

use crate::json::{NotJson, Reader, Value};
use crate::{
    CallMessage, ClientId, ClientMessage, Dialect, MessageType, Opaque, Presented, Registration,
    RejectReason, Request,
};

/// Why a text is no message of ours. Always the client's fault, always `INVALID_MESSAGE`.
///
/// The words name the rule that was broken and repeat nothing of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum DecodeError {
    /// Not one JSON object with one `type` and one `payload`.
    Malformed,
    /// The `type` is not one of the protocol's.
    UnknownType,
    /// The payload lacks a field, or one is of the wrong kind.
    Payload(MessageType),
    /// A string in the payload is not Unicode.
    NotUnicode,
    /// The top-level `id` is no string of 1 to 64 characters.
    RequestId,
}

impl DecodeError {
    /// The rule in words, as the ERROR message carries it.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => {
                "a message is one JSON object with a type (string) and a payload (object)"
            }
            Self::UnknownType => "unknown message type",
            Self::Payload(message_type) => message_type.shape(),
            Self::NotUnicode => {
                "a string in the payload has half a surrogate pair alone: it must be Unicode (RFC 7493)"
            }
            Self::RequestId => "id must be a string of 1 to 64 characters",
        }
    }
}

/// The longest top-level `id`, in characters.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// The longest top-level `id` as JSON, in bytes: each character an escaped surrogate pair.
pub const REQUEST_ID_BYTES_MAX: usize = REQUEST_ID_CHARS_MAX * r"\ud83d\ude00".len() + 2;
/// The bound of calls that a REGISTER may present.
const PRESENTED_MAX: usize = 64;

/// Reads one message.
///
/// # Errors
/// [`DecodeError`] names the rule that the text breaks.
pub fn decode(text: &str) -> Result<Request<'_>, DecodeError> {
    let mut envelope = Envelope::default();
    envelope.read(text).map_err(|_| DecodeError::Malformed)?;
    let id = envelope.id.map(request_id).transpose()?;
    Ok(Request { id, message: envelope.message()? })
}

/// Reads one message, whatever its `id` is: to a client that does not know of ids it is a field as
/// any other, and may hold anything.
///
/// # Errors
/// As [`decode`], but never [`DecodeError::RequestId`].
pub fn decode_unnamed(text: &str) -> Result<Request<'_>, DecodeError> {
    let mut envelope = Envelope::default();
    envelope.read(text).map_err(|_| DecodeError::Malformed)?;
    Ok(Request { id: None, message: envelope.message()? })
}

/// The `id` of a text that [`decode`] refuses, so that the refusal can name it. `None` if it has no
/// `id`, or two, or is no JSON object. A pass of its own, because few texts are refused.
pub fn request_id_of(text: &str) -> Option<Opaque<'_>> {
    let mut id = None;
    let mut reader = Reader::new(text);
    reader.skip_space();
    let read = reader.object(|reader, key| match key.text().as_deref() {
        Some("id") => fill(&mut id, reader),
        _ => reader.value().map(drop),
    });
    read.and_then(|()| reader.end()).ok()?;
    request_id(id?).ok()
}

/// Reads the payload as a message of that type. Returns `None` if a field is missing or wrong.
fn message<'a>(message_type: MessageType, payload: &Payload<'a>) -> Option<ClientMessage<'a>> {
    let call_id = || string(payload.call_id);
    Some(match message_type {
        MessageType::Register => ClientMessage::Register(Box::new(registration(payload)?)),
        MessageType::CallInitiate => ClientMessage::Call(CallMessage::CallInitiate {
            target_id: client_id(payload.target_id)?,
            sdp_offer: opaque(payload.sdp_offer)?,
        }),
        MessageType::CallAccept => ClientMessage::Call(CallMessage::CallAccept {
            call_id: call_id()?,
            sdp_answer: opaque(payload.sdp_answer)?,
        }),
        MessageType::CallRinging => {
            ClientMessage::Call(CallMessage::CallRinging { call_id: call_id()? })
        }
        MessageType::CallReject => ClientMessage::Call(CallMessage::CallReject {
            call_id: call_id()?,
            reason: reject_reason(payload)?,
        }),
        MessageType::CallEnd => ClientMessage::Call(CallMessage::CallEnd { call_id: call_id()? }),
        MessageType::IceCandidate => ClientMessage::Call(CallMessage::IceCandidate {
            call_id: call_id()?,
            candidate: opaque(payload.candidate)?,
        }),
        MessageType::CallSignal => ClientMessage::Call(CallMessage::CallSignal {
            call_id: call_id()?,
            data: opaque(payload.data)?,
        }),
        MessageType::PkdRegister => ClientMessage::PkdRegister {
            client_id: client_id(payload.client_id)?,
            public_key: opaque(payload.public_key)?,
        },
        MessageType::PkdLookup => {
            ClientMessage::PkdLookup { client_id: client_id(payload.client_id)? }
        }
        MessageType::TurnCredentials => ClientMessage::TurnCredentials,
        MessageType::Heartbeat => ClientMessage::Heartbeat,
        MessageType::Ack => ClientMessage::Ack { seq: number(payload.seq?)? },
    })
}

fn registration<'a>(payload: &Payload<'a>) -> Option<Registration<'a>> {
    let client_id = client_id(payload.client_id)?;
    let dialect = optional(payload.protocol, dialect)?.unwrap_or(Dialect::One);
    if dialect == Dialect::One {
        // To this client the other fields are unknown ones.
        let (resume_token, calls) = (None, Vec::new());
        return Some(Registration { client_id, dialect, resume_token, last_seq: 0, calls });
    }
    Some(Registration {
        client_id,
        dialect,
        resume_token: optional(payload.resume_token, |field| string(Some(field)))?,
        last_seq: optional(payload.last_seq, number)?.unwrap_or(0),
        calls: optional(payload.calls, presented)?.unwrap_or_default(),
    })
}

/// The dialect for a client that asks for this protocol: a later one than ours is answered in ours,
/// which REGISTERED names. `None` if it is not a whole number from 1.
fn dialect(field: Value<'_>) -> Option<Dialect> {
    match field.json {
        "0" => None,
        "1" => Some(Dialect::One),
        // The number may be of any length.
        json => json.bytes().all(|byte| byte.is_ascii_digit()).then_some(Dialect::Two),
    }
}

fn presented(field: Value<'_>) -> Option<Vec<Presented<'_>>> {
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow, rename = "callId")]
        call_id: Cow<'a, str>,
        #[serde(default)]
        answered: bool,
    }
    let items: Vec<Item<'_>> = serde_json::from_str(field.json).ok()?;
    let presented = |Item { call_id, answered }| Presented { call_id, answered };
    (items.len() <= PRESENTED_MAX).then(|| items.into_iter().map(presented).collect())
}

fn reject_reason(payload: &Payload<'_>) -> Option<RejectReason> {
    if payload.reason.is_some_and(|reason| !reason.is_unicode()) {
        return None;
    }
    let ahead_seconds = payload.clock_ahead_seconds.and_then(|field| field.json.parse().ok());
    Some(RejectReason::from_wire(string(payload.reason).as_deref(), ahead_seconds))
}

/// Returns `Some(None)` if the field is missing or `null`, and `None` if it is wrong.
fn optional<'a, T>(
    field: Field<'a>,
    read: impl FnOnce(Value<'a>) -> Option<T>,
) -> Option<Option<T>> {
    let field = field.filter(|field| field.json != "null");
    field.map_or(Some(None), |field| read(field).map(Some))
}

fn number(field: Value<'_>) -> Option<u64> {
    field.json.parse().ok()
}

/// A slot for one field: its JSON, where it was there.
type Field<'a> = Option<Value<'a>>;

/// The field as text, unescaped only when it has escapes.
fn string(field: Field<'_>) -> Option<Cow<'_, str>> {
    field?.text()
}

fn client_id(field: Field<'_>) -> Option<ClientId> {
    ClientId::try_from(&*string(field)?).ok()
}

fn opaque(field: Field<'_>) -> Option<Opaque<'_>> {
    Opaque::from_value(field?)
}

fn request_id(field: Value<'_>) -> Result<Opaque<'_>, DecodeError> {
    let text = field.text().ok_or(DecodeError::RequestId)?;
    let fits = (1..=REQUEST_ID_CHARS_MAX).contains(&text.chars().count());
    Opaque::from_value(field).filter(|_| fits).ok_or(DecodeError::RequestId)
}

#[derive(Default)]
struct Envelope<'a> {
    message_type: Field<'a>,
    payload: Payload<'a>,
    id: Field<'a>,
}

impl<'a> Envelope<'a> {
    fn message(&self) -> Result<ClientMessage<'a>, DecodeError> {
        let message_type = string(self.message_type).ok_or(DecodeError::Malformed)?;
        let message_type = MessageType::from_wire(&message_type).ok_or(DecodeError::UnknownType)?;
        message(message_type, &self.payload).ok_or_else(|| self.payload.error(message_type))
    }

    fn read(&mut self, text: &'a str) -> Result<(), NotJson> {
        let mut has_payload = false;
        let mut reader = Reader::new(text);
        reader.skip_space();
        reader.object(|reader, key| match key.text().as_deref() {
            Some("type") => fill(&mut self.message_type, reader),
            Some("payload") => {
                let first = !std::mem::replace(&mut has_payload, true);
                if first { self.payload.read(reader) } else { Err(NotJson) }
            }
            Some("id") => fill(&mut self.id, reader),
            _ => reader.value().map(drop),
        })?;
        reader.end()?;
        if has_payload { Ok(()) } else { Err(NotJson) }
    }
}

/// Every field that a payload of ours may hold.
#[derive(Default)]
struct Payload<'a> {
    client_id: Field<'a>,
    target_id: Field<'a>,
    call_id: Field<'a>,
    sdp_offer: Field<'a>,
    sdp_answer: Field<'a>,
    candidate: Field<'a>,
    public_key: Field<'a>,
    reason: Field<'a>,
    clock_ahead_seconds: Field<'a>,
    data: Field<'a>,
    seq: Field<'a>,
    protocol: Field<'a>,
    resume_token: Field<'a>,
    last_seq: Field<'a>,
    calls: Field<'a>,
}

impl<'a> Payload<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), NotJson> {
        reader.object(|reader, key| match key.text().and_then(|key| self.slot(&key)) {
            Some(slot) => fill(slot, reader),
            None => reader.value().map(drop),
        })
    }

    /// Why this is no message of that type.
    fn error(&self, message_type: MessageType) -> DecodeError {
        let strings = [
            self.call_id,
            self.sdp_offer,
            self.sdp_answer,
            self.candidate,
            self.public_key,
            self.reason,
            self.data,
            self.resume_token,
        ];
        if strings.into_iter().flatten().all(Value::is_unicode) {
            DecodeError::Payload(message_type)
        } else {
            DecodeError::NotUnicode
        }
    }

    fn slot(&mut self, key: &str) -> Option<&mut Field<'a>> {
        Some(match key {
            "clientId" => &mut self.client_id,
            "targetId" => &mut self.target_id,
            "callId" => &mut self.call_id,
            "sdpOffer" => &mut self.sdp_offer,
            "sdpAnswer" => &mut self.sdp_answer,
            "candidate" => &mut self.candidate,
            "publicKey" => &mut self.public_key,
            "reason" => &mut self.reason,
            "clockAheadSeconds" => &mut self.clock_ahead_seconds,
            "data" => &mut self.data,
            "seq" => &mut self.seq,
            "protocol" => &mut self.protocol,
            "resumeToken" => &mut self.resume_token,
            "lastSeq" => &mut self.last_seq,
            "calls" => &mut self.calls,
            _ => return None,
        })
    }
}

/// Takes the value into its slot. A key that comes twice is an error: two parsers could otherwise
/// read two different messages from one text.
fn fill<'a>(slot: &mut Field<'a>, reader: &mut Reader<'a>) -> Result<(), NotJson> {
    if slot.is_some() {
        return Err(NotJson);
    }
    *slot = Some(reader.value()?);
    Ok(())
}
