//! What is said on the wire, word for word.

/// A message of a client.
fn message(message_type: &str, fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(k, v)| format!(r#""{k}":"{v}""#)).collect();
    format!(r#"{{"type":"{message_type}","payload":{{{}}}}}"#, fields.join(","))
}

pub(crate) fn register(client: &str) -> String {
    message("REGISTER", &[("clientId", client)])
}

pub(crate) fn initiate(target: &str, offer: &str) -> String {
    message("CALL_INITIATE", &[("targetId", target), ("sdpOffer", offer)])
}

pub(crate) fn accept(call: &str, answer: &str) -> String {
    message("CALL_ACCEPT", &[("callId", call), ("sdpAnswer", answer)])
}

pub(crate) fn reject(call: &str) -> String {
    message("CALL_REJECT", &[("callId", call)])
}

pub(crate) fn end(call: &str) -> String {
    message("CALL_END", &[("callId", call)])
}

/// ICE_CANDIDATE reads the same in both directions.
pub(crate) fn candidate(call: &str, candidate: &str) -> String {
    message("ICE_CANDIDATE", &[("callId", call), ("candidate", candidate)])
}

pub(crate) fn registered(client: &str) -> String {
    message("REGISTERED", &[("clientId", client)])
}

pub(crate) fn incoming(call: &str, caller: &str, offer: &str) -> String {
    message("INCOMING_CALL", &[("callId", call), ("callerId", caller), ("sdpOffer", offer)])
}

pub(crate) fn accepted(call: &str, answer: &str) -> String {
    message("CALL_ACCEPTED", &[("callId", call), ("sdpAnswer", answer)])
}

pub(crate) fn rejected(call: &str) -> String {
    message("CALL_REJECTED", &[("callId", call)])
}

pub(crate) fn ended(call: &str) -> String {
    message("CALL_ENDED", &[("callId", call)])
}

/// A request with an `id`.
pub(crate) fn with_id(request: &str, id: &str) -> String {
    format!(r#"{},"id":"{id}"}}"#, request.strip_suffix('}').unwrap())
}

/// One field of a message's payload.
pub(crate) fn field(message: &str, name: &str) -> String {
    let marker = format!(r#""{name}":""#);
    let start = message.find(&marker).expect("the message has the field") + marker.len();
    message[start..].split('"').next().unwrap().to_string()
}

/// Whether the messages are just one ERROR with this code.
#[track_caller]
pub(crate) fn assert_error(heard: &[String], code: &str) {
    let [error] = heard else { panic!("not one message: {heard:?}") };
    assert_eq!(field(error, "type"), "ERROR");
    assert_eq!(field(error, "code"), code);
}
