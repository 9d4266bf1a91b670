//! The messages of the server, as the reference gives them.

use securecall_protocol::{
    ClientId, CloseCode, DecodeError, EndReason, ErrorCode, MessageType, Opaque, Registered,
    RejectReason, Reply, ServerMessage,
};
use serde_json::{Value, json};

fn id(text: &str) -> ClientId {
    ClientId::try_from(text).unwrap()
}

fn opaque(json: &str) -> Opaque<'_> {
    Opaque::from_stored(json).unwrap()
}

fn encoded(reply: &Reply<'_>) -> String {
    let (mut text, mut bytes) = (String::new(), Vec::new());
    reply.encode(&mut text);
    reply.encode(&mut bytes);
    assert_eq!(text.as_bytes(), bytes, "every sink gets the same");
    assert_eq!(text.len(), reply.encoded_bytes(), "the length is known before");
    text
}

#[track_caller]
fn assert_encodes(message: ServerMessage<'_>, expected: &Value) {
    let text = encoded(&message.into());
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), *expected);
}

#[test]
fn every_documented_message_has_the_documented_fields_and_no_other() {
    assert_encodes(
        ServerMessage::Registered(Registered { client_id: id("abc123"), resumption: None }),
        &json!({"type": "REGISTERED", "payload": {"clientId": "abc123"}}),
    );
    assert_encodes(
        ServerMessage::IncomingCall {
            call_id: "c".into(),
            caller_id: id("a"),
            sdp_offer: opaque(r#""o""#),
            ice_servers: None,
        },
        &json!({"type": "INCOMING_CALL",
                "payload": {"callId": "c", "callerId": "a", "sdpOffer": "o"}}),
    );
    assert_encodes(
        ServerMessage::CallAccepted {
            call_id: "c".into(),
            sdp_answer: opaque(r#""a""#),
            ice_servers: None,
        },
        &json!({"type": "CALL_ACCEPTED", "payload": {"callId": "c", "sdpAnswer": "a"}}),
    );
    assert_encodes(
        ServerMessage::CallRejected { call_id: "c".into(), reason: RejectReason::Busy },
        &json!({"type": "CALL_REJECTED", "payload": {"callId": "c"}}),
    );
    assert_encodes(
        ServerMessage::CallEnded { call_id: "c".into(), reason: EndReason::Glare },
        &json!({"type": "CALL_ENDED", "payload": {"callId": "c"}}),
    );
    assert_encodes(
        ServerMessage::IceCandidate { call_id: "c".into(), candidate: opaque(r#""x""#) },
        &json!({"type": "ICE_CANDIDATE", "payload": {"callId": "c", "candidate": "x"}}),
    );
    assert_encodes(
        ServerMessage::PkdResult { client_id: id("a"), public_key: Some(opaque(r#""k""#)) },
        &json!({"type": "PKD_RESULT", "payload": {"clientId": "a", "publicKey": "k"}}),
    );
}

#[test]
fn every_error_code_is_sent_with_its_words() {
    for code in ErrorCode::ALL {
        assert_encodes(
            ServerMessage::Error { code, message: "words".into(), retry_after_ms: Some(7) },
            &json!({"type": "ERROR", "payload": {"code": code.as_str(), "message": "words"}}),
        );
    }
}

#[test]
fn the_words_of_every_decode_error_are_valid_json() {
    let errors = [
        DecodeError::Malformed,
        DecodeError::UnknownType,
        DecodeError::RequestId,
        DecodeError::NotUnicode,
    ];
    for error in errors.into_iter().chain(MessageType::ALL.map(DecodeError::Payload)) {
        let (code, message) = (ErrorCode::InvalidMessage, error.message());
        assert_encodes(
            ServerMessage::Error { code, message: message.into(), retry_after_ms: None },
            &json!({"type": "ERROR", "payload": {"code": "INVALID_MESSAGE", "message": message}}),
        );
    }
}

#[test]
fn an_unknown_key_is_null() {
    assert_encodes(
        ServerMessage::PkdResult { client_id: id("a"), public_key: None },
        &json!({"type": "PKD_RESULT", "payload": {"clientId": "a", "publicKey": null}}),
    );
}

#[test]
fn relay_servers_are_added_where_they_are_configured() {
    let servers = json!([{"urls": ["turn:t"], "username": "1:a", "credential": "x="}]);
    assert_encodes(
        ServerMessage::IncomingCall {
            call_id: "c".into(),
            caller_id: id("a"),
            sdp_offer: opaque(r#""o""#),
            ice_servers: Some(servers.to_string().into()),
        },
        &json!({"type": "INCOMING_CALL", "payload":
            {"callId": "c", "callerId": "a", "sdpOffer": "o", "iceServers": servers}}),
    );
    assert_encodes(
        ServerMessage::CallAccepted {
            call_id: "c".into(),
            sdp_answer: opaque(r#""a""#),
            ice_servers: Some(servers.to_string().into()),
        },
        &json!({"type": "CALL_ACCEPTED", "payload":
            {"callId": "c", "sdpAnswer": "a", "iceServers": servers}}),
    );
    assert_encodes(
        ServerMessage::TurnCredentials { ice_servers: servers.to_string().into(), ttl_seconds: 60 },
        &json!({"type": "TURN_CREDENTIALS", "payload": {"iceServers": servers, "ttlSeconds": 60}}),
    );
    assert_encodes(ServerMessage::HeartbeatAck, &json!({"type": "HEARTBEAT_ACK", "payload": {}}));
}

#[test]
fn an_answer_names_its_request_as_the_request_named_itself() {
    let reply =
        Reply { reply_to: Some(opaque(r#""\u0061\/""#)), ..ServerMessage::HeartbeatAck.into() };
    assert_eq!(encoded(&reply), r#"{"type":"HEARTBEAT_ACK","payload":{},"replyTo":"\u0061\/"}"#,);
}

#[test]
fn opaque_fields_leave_as_they_came() {
    let odd = r#""\u0041\/\n\ud83e\udd80 é 🦀 \\ \" ""#;
    let message = ServerMessage::IceCandidate { call_id: "c".into(), candidate: opaque(odd) };
    let expected =
        format!(r#"{{"type":"ICE_CANDIDATE","payload":{{"callId":"c","candidate":{odd}}}}}"#);
    assert_eq!(encoded(&message.into()), expected);
}

#[test]
fn only_a_json_string_that_is_unicode_can_be_stored_as_opaque() {
    for json in ["", "null", "1", "{}", "[]", "x", r#""a"#, r#""a" "b""#, "\"\n\"", r#""\ud800""#] {
        assert_eq!(Opaque::from_stored(json), None, "{json}");
    }
}

#[test]
fn no_log_shows_opaque_fields() {
    assert_eq!(format!("{:?}", opaque(r#""secret""#)), "Opaque(8 bytes)");
}

#[test]
fn clients_in_the_field_stay_away_after_a_close_that_means_it_and_no_other() {
    let final_codes = CloseCode::ALL.map(CloseCode::code).into_iter().filter(|code| {
        // What makes a client in the field stop for good.
        *code == 1000 || (4000..4100).contains(code)
    });
    let expected = [CloseCode::Normal.code(), CloseCode::Superseded.code()];
    assert_eq!(final_codes.collect::<Vec<_>>(), expected);
}

#[test]
fn a_close_frame_has_room_for_every_reason() {
    const REASON_BYTES_MAX: usize = 125 - 2;
    for code in CloseCode::ALL {
        assert!(code.reason().len() <= REASON_BYTES_MAX, "{code:?}");
    }
}
