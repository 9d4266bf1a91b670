//! A client's message as JSON again. It takes every message apart, field by field: one that is
//! added does not compile here.

use securecall_protocol::{
    CallMessage, ClientMessage, Dialect, Opaque, Presented, Registration, Request,
};
use serde_json::{Value, json};

/// The text that a client would have to send for this request, with every field that it may have.
pub(crate) fn written(request: &Request<'_>) -> Value {
    let Request { id, message } = request;
    let mut text = json!({
        "type": message.message_type().as_str(),
        "payload": payload(message),
    });
    if let Some(id) = id {
        text["id"] = unescaped(*id);
    }
    text
}

fn payload(message: &ClientMessage<'_>) -> Value {
    match message {
        ClientMessage::Register(registration) => register(registration),
        ClientMessage::Call(call) => call_payload(call),
        ClientMessage::PkdRegister { client_id, public_key } => {
            json!({ "clientId": client_id.as_str(), "publicKey": unescaped(*public_key) })
        }
        ClientMessage::PkdLookup { client_id } => json!({ "clientId": client_id.as_str() }),
        ClientMessage::TurnCredentials | ClientMessage::Heartbeat => json!({}),
        ClientMessage::Ack { seq } => json!({ "seq": seq }),
    }
}

fn call_payload(message: &CallMessage<'_>) -> Value {
    match message {
        CallMessage::CallInitiate { target_id, sdp_offer } => {
            json!({ "targetId": target_id.as_str(), "sdpOffer": unescaped(*sdp_offer) })
        }
        CallMessage::CallAccept { call_id, sdp_answer } => {
            json!({ "callId": call_id, "sdpAnswer": unescaped(*sdp_answer) })
        }
        CallMessage::CallRinging { call_id } | CallMessage::CallEnd { call_id } => {
            json!({ "callId": call_id })
        }
        CallMessage::CallReject { call_id, reason } => {
            let ahead = reason.clock_ahead_seconds();
            json!({ "callId": call_id, "reason": reason.as_str(), "clockAheadSeconds": ahead })
        }
        CallMessage::IceCandidate { call_id, candidate } => {
            json!({ "callId": call_id, "candidate": unescaped(*candidate) })
        }
        CallMessage::CallSignal { call_id, data } => {
            json!({ "callId": call_id, "data": unescaped(*data) })
        }
    }
}

fn register(registration: &Registration<'_>) -> Value {
    let Registration { client_id, dialect, resume_token, last_seq, calls } = registration;
    if *dialect == Dialect::One {
        return json!({ "clientId": client_id.as_str() });
    }
    let presented = |Presented { call_id, answered }: &Presented<'_>| json!({ "callId": call_id, "answered": answered });
    json!({
        "clientId": client_id.as_str(),
        "protocol": 2,
        "resumeToken": resume_token,
        "lastSeq": last_seq,
        "calls": calls.iter().map(presented).collect::<Value>(),
    })
}

fn unescaped(opaque: Opaque<'_>) -> Value {
    serde_json::from_str(opaque.as_json()).unwrap()
}
