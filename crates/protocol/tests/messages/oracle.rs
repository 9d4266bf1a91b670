//! The oracle: a slow and obvious decoder, over `serde_json::Value`.

use std::fmt;

use securecall_protocol::{
    CallMessage, ClientMessage, DecodeError, Dialect, MessageType, Presented, Registration, Request,
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A message as type, request id and payload fields, all of them unescaped.
#[derive(Debug, PartialEq)]
pub(crate) struct Meaning {
    message_type: &'static str,
    id: Option<String>,
    fields: Vec<String>,
}

pub(crate) fn meaning(text: &str) -> Result<Meaning, DecodeError> {
    let envelope = Members::read(text, &["type", "payload", "id"])?;
    let payload = envelope.json("payload").ok_or(DecodeError::Malformed)?;
    let payload = Members::read(payload, PAYLOAD_FIELDS)?;
    let id = envelope.json("id").map(request_id).transpose()?;
    let name = envelope.json("type").and_then(string).ok_or(DecodeError::Malformed)?;
    let all = MessageType::ALL;
    let found = all.into_iter().find(|each| each.as_str() == name);
    let message_type = found.ok_or(DecodeError::UnknownType)?;
    let fields = fields(message_type, &payload).ok_or_else(|| wrong(message_type, &payload))?;
    Ok(Meaning { message_type: message_type.as_str(), id, fields })
}

const PAYLOAD_FIELDS: &[&str] = &[
    "clientId",
    "targetId",
    "callId",
    "sdpOffer",
    "sdpAnswer",
    "candidate",
    "publicKey",
    "reason",
    "data",
    "seq",
    "protocol",
    "resumeToken",
    "lastSeq",
    "calls",
];

/// The members of an object, all of them: a key may come twice.
struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    fn read(text: &str, once: &[&str]) -> Result<Self, DecodeError> {
        let members: Self = serde_json::from_str(text).map_err(|_| DecodeError::Malformed)?;
        let times = |name: &str| members.0.iter().filter(|(key, _)| key == name).count();
        if once.iter().any(|name| times(name) > 1) {
            return Err(DecodeError::Malformed);
        }
        Ok(members)
    }

    fn json(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, json)| json.get())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

const STRING_FIELDS: &[&str] =
    &["callId", "sdpOffer", "sdpAnswer", "candidate", "publicKey", "reason", "data", "resumeToken"];

/// Which rule a payload breaks that is no message.
fn wrong(message_type: MessageType, payload: &Members) -> DecodeError {
    let mut strings = STRING_FIELDS.iter().filter_map(|name| payload.json(name));
    let not_unicode = strings.any(|json| json.starts_with('"') && string(json).is_none());
    if not_unicode { DecodeError::NotUnicode } else { DecodeError::Payload(message_type) }
}

fn string(json: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    value.as_str().map(String::from)
}

fn request_id(json: &str) -> Result<String, DecodeError> {
    let fits = |id: &String| (1..=64).contains(&id.chars().count());
    string(json).filter(fits).ok_or(DecodeError::RequestId)
}

fn fields(message_type: MessageType, payload: &Members) -> Option<Vec<String>> {
    let names: &[&str] = match message_type {
        MessageType::Register => return registration(payload),
        MessageType::CallReject => return rejection(payload),
        MessageType::Ack => return Some(vec![number(payload.json("seq")?)?]),
        MessageType::PkdLookup => &["clientId"],
        MessageType::CallInitiate => &["targetId", "sdpOffer"],
        MessageType::CallAccept => &["callId", "sdpAnswer"],
        MessageType::CallRinging | MessageType::CallEnd => &["callId"],
        MessageType::CallSignal => &["callId", "data"],
        MessageType::IceCandidate => &["callId", "candidate"],
        MessageType::PkdRegister => &["clientId", "publicKey"],
        MessageType::TurnCredentials | MessageType::Heartbeat => &[],
    };
    names.iter().map(|name| field(name, payload)).collect()
}

fn field(name: &str, payload: &Members) -> Option<String> {
    let text = payload.json(name).and_then(string)?;
    let is_client_id = name == "clientId" || name == "targetId";
    (!is_client_id || is_in_client_id_format(&text)).then_some(text)
}

fn rejection(payload: &Members) -> Option<Vec<String>> {
    let reason = match payload.json("reason") {
        Some(json) if json.starts_with('"') => string(json)?,
        _ => String::new(),
    };
    let reason = if reason == "busy" { "busy" } else { "declined" };
    Some(vec![field("callId", payload)?, reason.to_string()])
}

/// The id; in dialect 2 also token, number and calls.
fn registration(payload: &Members) -> Option<Vec<String>> {
    let mut fields = vec![field("clientId", payload)?];
    let protocol = payload.json("protocol").filter(|json| *json != "null").unwrap_or("1");
    if !protocol.chars().all(|c| c.is_ascii_digit()) || protocol == "0" {
        return None;
    }
    if protocol == "1" {
        return Some(fields);
    }
    let given = |name| payload.json(name).filter(|json| *json != "null");
    fields.push(given("resumeToken").map_or(Some("none".into()), string)?);
    fields.push(given("lastSeq").map_or(Some("0".into()), number)?);
    let calls: Value = serde_json::from_str(given("calls").unwrap_or("[]")).ok()?;
    for call in calls.as_array().filter(|calls| calls.len() <= 64)? {
        let answered = match call.get("answered") {
            None => false,
            Some(answered) => answered.as_bool()?,
        };
        fields.push(format!("{} {answered}", call.get("callId")?.as_str()?));
    }
    Some(fields)
}

fn number(json: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    value.as_u64().map(|number| number.to_string())
}

fn is_in_client_id_format(text: &str) -> bool {
    let allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    !text.is_empty() && text.chars().count() <= 64 && text.chars().all(|c| allowed.contains(c))
}

/// The decoder's result, in the oracle's terms.
pub(crate) fn understood(request: &Request<'_>) -> Meaning {
    let unescape = |json: &str| serde_json::from_str::<String>(json).unwrap();
    let fields = match &request.message {
        ClientMessage::Register(registration) => registered(registration),
        ClientMessage::PkdLookup { client_id } => vec![client_id.as_str().to_string()],
        ClientMessage::Ack { seq } => vec![seq.to_string()],
        ClientMessage::Call(CallMessage::CallInitiate { target_id, sdp_offer }) => {
            vec![target_id.as_str().to_string(), unescape(sdp_offer.as_json())]
        }
        ClientMessage::Call(CallMessage::CallAccept { call_id, sdp_answer }) => {
            vec![call_id.to_string(), unescape(sdp_answer.as_json())]
        }
        ClientMessage::Call(
            CallMessage::CallRinging { call_id } | CallMessage::CallEnd { call_id },
        ) => vec![call_id.to_string()],
        ClientMessage::Call(CallMessage::CallReject { call_id, reason }) => {
            vec![call_id.to_string(), reason.as_str().to_string()]
        }
        ClientMessage::Call(CallMessage::CallSignal { call_id, data }) => {
            vec![call_id.to_string(), unescape(data.as_json())]
        }
        ClientMessage::Call(CallMessage::IceCandidate { call_id, candidate }) => {
            vec![call_id.to_string(), unescape(candidate.as_json())]
        }
        ClientMessage::PkdRegister { client_id, public_key } => {
            vec![client_id.as_str().to_string(), unescape(public_key.as_json())]
        }
        ClientMessage::TurnCredentials | ClientMessage::Heartbeat => vec![],
    };
    Meaning {
        message_type: request.message.message_type().as_str(),
        id: request.id.map(|id| unescape(id.as_json())),
        fields,
    }
}

fn registered(registration: &Registration<'_>) -> Vec<String> {
    let mut fields = vec![registration.client_id.as_str().to_string()];
    if registration.dialect == Dialect::Two {
        fields.push(registration.resume_token.as_deref().unwrap_or("none").to_string());
        fields.push(registration.last_seq.to_string());
    }
    let call = |call: &Presented<'_>| format!("{} {}", call.call_id, call.answered);
    fields.extend(registration.calls.iter().map(call));
    fields
}

/// The opaque slices of a message.
pub(crate) fn opaque_slices<'a>(request: &Request<'a>) -> Vec<&'a str> {
    let field = match request.message {
        ClientMessage::Call(CallMessage::CallInitiate { sdp_offer, .. }) => Some(sdp_offer),
        ClientMessage::Call(CallMessage::CallAccept { sdp_answer, .. }) => Some(sdp_answer),
        ClientMessage::Call(CallMessage::IceCandidate { candidate, .. }) => Some(candidate),
        ClientMessage::Call(CallMessage::CallSignal { data, .. }) => Some(data),
        ClientMessage::PkdRegister { public_key, .. } => Some(public_key),
        _ => None,
    };
    field.into_iter().chain(request.id).map(|opaque| opaque.as_json()).collect()
}
