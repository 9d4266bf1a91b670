//! Messages on the wire, word for word.

/// A message of a client.
fn message(message_type: &str, fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(k, v)| format!(r#""{k}":"{v}""#)).collect();
    format!(r#"{{"type":"{message_type}","payload":{{{}}}}}"#, fields.join(","))
}

pub(crate) fn register(client: &str) -> String {
    message("REGISTER", &[("clientId", client)])
}

/// REGISTER in dialect 2; `more` are fields as JSON, each with a comma before it.
pub(crate) fn register_in_two(client: &str, more: &str) -> String {
    format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{client}","protocol":2{more}}}}}"#)
}

/// Calls as a REGISTER presents them.
pub(crate) fn presented(calls: &[(&str, bool)]) -> String {
    let call =
        |(id, answered): &(&str, bool)| format!(r#"{{"callId":"{id}","answered":{answered}}}"#);
    let calls: Vec<String> = calls.iter().map(call).collect();
    format!(r#","calls":[{}]"#, calls.join(","))
}

/// The fields of a registration that begins anew, shows this token, and presents these calls.
pub(crate) fn presented_with(token: &str, calls: &[(&str, bool)]) -> String {
    format!(r#","resumeToken":"{token}","lastSeq":999{}"#, presented(calls))
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

pub(crate) fn ringing(call: &str) -> String {
    message("CALL_RINGING", &[("callId", call)])
}

/// CALL_SIGNAL reads the same in both directions.
pub(crate) fn signal(call: &str, data: &str) -> String {
    message("CALL_SIGNAL", &[("callId", call), ("data", data)])
}

pub(crate) fn reject_as(call: &str, reason: &str) -> String {
    message("CALL_REJECT", &[("callId", call), ("reason", reason)])
}

pub(crate) fn initiated(call: &str, target: &str) -> String {
    message("CALL_INITIATED", &[("callId", call), ("targetId", target)])
}

pub(crate) fn rejected_as(call: &str, reason: &str) -> String {
    message("CALL_REJECTED", &[("callId", call), ("reason", reason)])
}

pub(crate) fn ended_as(call: &str, reason: &str) -> String {
    message("CALL_ENDED", &[("callId", call), ("reason", reason)])
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

/// Messages without their numbers, which go up by one from the first to the last.
#[track_caller]
pub(crate) fn unnumbered(received: &[String]) -> Vec<String> {
    let mut last = None;
    let message = |text: &String| {
        let (message, rest) = text.split_once(r#","seq":"#).expect("a number");
        let (seq, rest) = rest.split_at(rest.find([',', '}']).unwrap());
        let seq: u64 = seq.parse().unwrap();
        assert!(last.is_none_or(|last| seq == last + 1), "out of order: {received:?}");
        last = Some(seq);
        format!("{message}{rest}")
    };
    received.iter().map(message).collect()
}

/// The last number in the messages; 0 without messages.
pub(crate) fn last_seq(received: &[String]) -> u64 {
    let seq = |text: &String| {
        let (_, rest) = text.split_once(r#","seq":"#)?;
        rest[..rest.find([',', '}'])?].parse().ok()
    };
    received.last().and_then(seq).unwrap_or(0)
}

/// One field of a message's payload.
pub(crate) fn field(message: &str, name: &str) -> String {
    let marker = format!(r#""{name}":""#);
    let start = message.find(&marker).expect("the message has the field") + marker.len();
    message[start..].split('"').next().unwrap().to_string()
}

/// Asserts that the messages are just one ERROR with this code.
#[track_caller]
pub(crate) fn assert_error(received: &[String], code: &str) {
    let [error] = received else { panic!("not one message: {received:?}") };
    assert_eq!(field(error, "type"), "ERROR");
    assert_eq!(field(error, "code"), code);
}
