//! Text → [`Request`], in one pass that borrows.
//!
//! `type` may stand before or after `payload`, so the pass collects every field that any message
//! knows, each as a raw slice, and reads them by type afterwards. Fields that the type does not
//! know are ignored, whatever they hold. What is valid JSON is serde_json's word, not ours.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

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
    /// The `type` is none of the protocol's.
    UnknownType,
    /// The payload lacks a field, or one is of the wrong kind.
    Payload(MessageType),
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
            Self::RequestId => "id must be a string of 1 to 64 characters",
        }
    }
}

/// The longest top-level `id`, in characters.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// How many calls a REGISTER may present.
const PRESENTED_MAX: usize = 64;

/// Reads one message.
///
/// # Errors
/// [`DecodeError`] says which rule the text breaks.
pub fn decode(text: &str) -> Result<Request<'_>, DecodeError> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| DecodeError::Malformed)?;
    let id = envelope.id.map(request_id).transpose()?;
    let message_type = string(envelope.message_type).ok_or(DecodeError::Malformed)?;
    let message_type = MessageType::from_wire(&message_type).ok_or(DecodeError::UnknownType)?;
    let payload = envelope.payload;
    let message = message(message_type, &payload).ok_or(DecodeError::Payload(message_type))?;
    Ok(Request { id, message })
}

/// The payload read as a message of that type; None when a field is missing or wrong.
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
            reason: reject_reason(payload.reason),
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
    let dialect = match payload.protocol.map(RawValue::get) {
        Some("2") => Dialect::Two,
        _ => Dialect::One,
    };
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

fn presented(field: &RawValue) -> Option<Vec<Presented<'_>>> {
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow, rename = "callId")]
        call_id: Cow<'a, str>,
        #[serde(default)]
        answered: bool,
    }
    let items: Vec<Item<'_>> = serde_json::from_str(field.get()).ok()?;
    let presented = |Item { call_id, answered }| Presented { call_id, answered };
    (items.len() <= PRESENTED_MAX).then(|| items.into_iter().map(presented).collect())
}

/// Any reason but `busy` means that somebody said no: a client of dialect 1 may have its own words.
fn reject_reason(field: Field<'_>) -> RejectReason {
    let busy = string(field).is_some_and(|text| text == RejectReason::Busy.as_str());
    if busy { RejectReason::Busy } else { RejectReason::Declined }
}

/// Some(None) where the field is not there or `null`, None where it is wrong.
fn optional<'a, T>(
    field: Field<'a>,
    read: impl FnOnce(&'a RawValue) -> Option<T>,
) -> Option<Option<T>> {
    let field = field.filter(|field| field.get() != "null");
    field.map_or(Some(None), |field| read(field).map(Some))
}

fn number(field: &RawValue) -> Option<u64> {
    field.get().parse().ok()
}

/// A slot for one field: its JSON, where it was there.
type Field<'a> = Option<&'a RawValue>;

/// The field as text, unescaped only when it has escapes.
fn string(field: Field<'_>) -> Option<Cow<'_, str>> {
    let json = field?.get();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn client_id(field: Field<'_>) -> Option<ClientId> {
    ClientId::try_from(&*string(field)?).ok()
}

fn opaque(field: Field<'_>) -> Option<Opaque<'_>> {
    Opaque::from_valid_json(field?.get())
}

fn request_id(json: &RawValue) -> Result<Opaque<'_>, DecodeError> {
    let text = string(Some(json)).ok_or(DecodeError::RequestId)?;
    let fits = (1..=REQUEST_ID_CHARS_MAX).contains(&text.chars().count());
    Opaque::from_valid_json(json.get()).filter(|_| fits).ok_or(DecodeError::RequestId)
}

#[derive(Default)]
struct Envelope<'a> {
    message_type: Field<'a>,
    payload: Payload<'a>,
    id: Field<'a>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum EnvelopeKey {
    Type,
    Payload,
    Id,
    #[serde(other)]
    Unknown,
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
    data: Field<'a>,
    seq: Field<'a>,
    protocol: Field<'a>,
    resume_token: Field<'a>,
    last_seq: Field<'a>,
    calls: Field<'a>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum PayloadKey {
    ClientId,
    TargetId,
    CallId,
    SdpOffer,
    SdpAnswer,
    Candidate,
    PublicKey,
    Reason,
    Data,
    Seq,
    Protocol,
    ResumeToken,
    LastSeq,
    Calls,
    #[serde(other)]
    Unknown,
}

// The two visitors are written by hand because the derived ones also take arrays for objects.

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut envelope = Envelope::default();
                let mut payload = None;
                while let Some(key) = map.next_key()? {
                    match key {
                        EnvelopeKey::Type => fill(&mut envelope.message_type, &mut map)?,
                        EnvelopeKey::Payload => fill(&mut payload, &mut map)?,
                        EnvelopeKey::Id => fill(&mut envelope.id, &mut map)?,
                        EnvelopeKey::Unknown => skip(&mut map)?,
                    }
                }
                envelope.payload = payload.ok_or_else(|| de::Error::missing_field("payload"))?;
                Ok(envelope)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Payload<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Payload<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a payload object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut payload = Payload::default();
                while let Some(key) = map.next_key()? {
                    match key {
                        PayloadKey::ClientId => fill(&mut payload.client_id, &mut map)?,
                        PayloadKey::TargetId => fill(&mut payload.target_id, &mut map)?,
                        PayloadKey::CallId => fill(&mut payload.call_id, &mut map)?,
                        PayloadKey::SdpOffer => fill(&mut payload.sdp_offer, &mut map)?,
                        PayloadKey::SdpAnswer => fill(&mut payload.sdp_answer, &mut map)?,
                        PayloadKey::Candidate => fill(&mut payload.candidate, &mut map)?,
                        PayloadKey::PublicKey => fill(&mut payload.public_key, &mut map)?,
                        PayloadKey::Reason => fill(&mut payload.reason, &mut map)?,
                        PayloadKey::Data => fill(&mut payload.data, &mut map)?,
                        PayloadKey::Seq => fill(&mut payload.seq, &mut map)?,
                        PayloadKey::Protocol => fill(&mut payload.protocol, &mut map)?,
                        PayloadKey::ResumeToken => fill(&mut payload.resume_token, &mut map)?,
                        PayloadKey::LastSeq => fill(&mut payload.last_seq, &mut map)?,
                        PayloadKey::Calls => fill(&mut payload.calls, &mut map)?,
                        PayloadKey::Unknown => skip(&mut map)?,
                    }
                }
                Ok(payload)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Takes the value into its slot. A key that comes twice is an error: two parsers could otherwise
/// read two different messages from one text.
fn fill<'de, T, A>(slot: &mut Option<T>, map: &mut A) -> Result<(), A::Error>
where
    T: Deserialize<'de>,
    A: MapAccess<'de>,
{
    if slot.is_some() {
        return Err(de::Error::duplicate_field("key"));
    }
    *slot = Some(map.next_value()?);
    Ok(())
}

fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}
