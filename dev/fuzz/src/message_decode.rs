//! What is read as a message is JSON, and whatever its fields hold leaves as JSON again.
//!
//! Run: `cargo +nightly fuzz run message_decode`.

use securecall_protocol::{CallMessage, ClientMessage, Reply, ServerMessage, decode};
use serde_json::value::RawValue;

/// Panics if the sentence above is not true of this input.
pub fn message_decode(text: &str) {
    let Ok(request) = decode(text) else { return };
    assert!(is_json(text));
    let ClientMessage::Call(CallMessage::IceCandidate { call_id, candidate }) = request.message
    else {
        return;
    };
    // The server passes a candidate on only in a call of its own, whose id needs no escapes.
    if call_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = ServerMessage::IceCandidate { call_id, candidate };
        let mut relayed = String::new();
        Reply { reply_to: request.id, ..message.into() }.encode(&mut relayed);
        assert!(is_json(&relayed));
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}
