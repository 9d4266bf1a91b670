//! The messages of clients, as the reference gives them.

use securecall_protocol::{
    CallMessage, ClientMessage, DecodeError, Dialect, MessageType, RejectReason, decode,
    decode_unnamed, request_id_of,
};

fn message(text: &str) -> ClientMessage<'_> {
    decode(text).unwrap().message
}

fn call(text: &str) -> CallMessage<'_> {
    let ClientMessage::Call(call) = message(text) else { panic!("not about a call") };
    call
}

#[test]
fn register() {
    let text = r#"{"type":"REGISTER","payload":{"clientId":"abc123"}}"#;
    let ClientMessage::Register(registration) = message(text) else { panic!() };
    assert_eq!(registration.client_id.as_str(), "abc123");
    assert_eq!(registration.dialect, Dialect::One);
}

#[test]
fn call_initiate() {
    let text = r#"{"type":"CALL_INITIATE","payload":{"targetId":"xyz789","sdpOffer":"v=0\r\n"}}"#;
    let CallMessage::CallInitiate { target_id, sdp_offer } = call(text) else { panic!() };
    assert_eq!((target_id.as_str(), sdp_offer.as_json()), ("xyz789", r#""v=0\r\n""#));
}

#[test]
fn call_accept() {
    let text = r#"{"type":"CALL_ACCEPT","payload":{"callId":"c-1","sdpAnswer":"v=0"}}"#;
    let CallMessage::CallAccept { call_id, sdp_answer } = call(text) else { panic!() };
    assert_eq!((&*call_id, sdp_answer.as_json()), ("c-1", r#""v=0""#));
}

#[test]
fn call_reject() {
    let text = r#"{"type":"CALL_REJECT","payload":{"callId":"c-1"}}"#;
    let reason = RejectReason::Declined;
    assert_eq!(call(text), CallMessage::CallReject { call_id: "c-1".into(), reason });
}

#[test]
fn a_client_of_dialect_1_may_reject_in_its_own_words() {
    for reason in [r#""declined""#, r#""I am in a meeting""#, "null", "7", "[]"] {
        let text =
            format!(r#"{{"type":"CALL_REJECT","payload":{{"callId":"c-1","reason":{reason}}}}}"#);
        let reason = RejectReason::Declined;
        assert_eq!(call(&text), CallMessage::CallReject { call_id: "c-1".into(), reason });
    }
    let text = r#"{"type":"CALL_REJECT","payload":{"callId":"c-1","reason":"busy"}}"#;
    let reason = RejectReason::Busy;
    assert_eq!(call(text), CallMessage::CallReject { call_id: "c-1".into(), reason });
}

#[test]
fn call_end() {
    let text = r#"{"type":"CALL_END","payload":{"callId":"c-1"}}"#;
    assert_eq!(call(text), CallMessage::CallEnd { call_id: "c-1".into() });
}

#[test]
fn ice_candidate() {
    let text = r#"{"type":"ICE_CANDIDATE","payload":{"callId":"c-1","candidate":"candidate:1"}}"#;
    let CallMessage::IceCandidate { call_id, candidate } = call(text) else { panic!() };
    assert_eq!((&*call_id, candidate.as_json()), ("c-1", r#""candidate:1""#));
}

#[test]
fn pkd_register() {
    let text = r#"{"type":"PKD_REGISTER","payload":{"clientId":"abc123","publicKey":"a\/b="}}"#;
    let ClientMessage::PkdRegister { client_id, public_key } = message(text) else { panic!() };
    assert_eq!((client_id.as_str(), public_key.as_json()), ("abc123", r#""a\/b=""#));
}

#[test]
fn pkd_lookup() {
    let text = r#"{"type":"PKD_LOOKUP","payload":{"clientId":"abc123"}}"#;
    let ClientMessage::PkdLookup { client_id } = message(text) else { panic!() };
    assert_eq!(client_id.as_str(), "abc123");
}

#[test]
fn turn_credentials_and_heartbeat() {
    let credentials = r#"{"type":"TURN_CREDENTIALS","payload":{}}"#;
    assert_eq!(message(credentials), ClientMessage::TurnCredentials);
    assert_eq!(message(r#"{"type":"HEARTBEAT","payload":{}}"#), ClientMessage::Heartbeat);
}

#[test]
fn the_order_of_fields_and_white_space_do_not_matter() {
    let text = " {\r\n\t\"payload\" : { \"callId\"\t:\"c-1\" } ,\n \"id\": \"7\", \"type\" : \"CALL_END\"}\n ";
    let request = decode(text).unwrap();
    assert_eq!(request.id.unwrap().as_json(), r#""7""#);
    let end = CallMessage::CallEnd { call_id: "c-1".into() };
    assert_eq!(request.message, ClientMessage::Call(end));
}

#[test]
fn unknown_fields_are_ignored_whatever_they_hold() {
    let text =
        r#"{"v":[1,{"a":null}],"type":"CALL_END","payload":{"x":-1.5e3,"callId":"c","y":{}}}"#;
    assert_eq!(call(text), CallMessage::CallEnd { call_id: "c".into() });
}

#[test]
fn fields_of_other_messages_are_ignored_too() {
    let text = r#"{"type":"CALL_END","payload":{"callId":"c","sdpOffer":null,"clientId":[]}}"#;
    assert_eq!(call(text), CallMessage::CallEnd { call_id: "c".into() });
}

#[test]
fn ids_and_types_may_be_written_with_escapes() {
    let text = r#"{"\u0074ype":"CALL\u005fEND","payload":{"call\u0049d":"c\u002d1\""}}"#;
    assert_eq!(call(text), CallMessage::CallEnd { call_id: "c-1\"".into() });
    let text = r#"{"type":"REGISTER","payload":{"clientId":"\u0061lice"}}"#;
    let ClientMessage::Register(registration) = message(text) else { panic!() };
    assert_eq!(registration.client_id.as_str(), "alice");
}

#[test]
fn a_call_id_without_escapes_is_borrowed() {
    let text = r#"{"type":"CALL_END","payload":{"callId":"c-1"}}"#;
    let CallMessage::CallEnd { call_id } = call(text) else { panic!() };
    assert!(matches!(call_id, std::borrow::Cow::Borrowed(_)));
}

#[test]
fn a_request_id_has_1_to_64_characters_and_stays_as_it_was_written() {
    let with_id = |id: &str| format!(r#"{{"type":"HEARTBEAT","payload":{{}},"id":{id}}}"#);
    for id in [r#""1""#, r#""\u0061\n""#, &format!(r#""{}""#, "é".repeat(64))] {
        let text = with_id(id);
        assert_eq!(decode(&text).unwrap().id.unwrap().as_json(), id);
    }
    for id in ["1", "null", "{}", r#""""#, r#""\ud800""#, &format!(r#""{}""#, "x".repeat(65))] {
        assert_eq!(decode(&with_id(id)), Err(DecodeError::RequestId), "{id}");
    }
}

#[test]
fn a_message_can_be_read_whatever_its_id_is() {
    for id in ["1", "null", "{}", r#""""#, r#""7""#] {
        let text = format!(r#"{{"type":"HEARTBEAT","payload":{{}},"id":{id}}}"#);
        let request = decode_unnamed(&text).unwrap();
        assert_eq!((request.id, request.message), (None, ClientMessage::Heartbeat));
    }
    let wrong = r#"{"type":"PKD_LOOKUP","payload":{},"id":1}"#;
    assert_eq!(decode_unnamed(wrong), Err(DecodeError::Payload(MessageType::PkdLookup)));
}

#[test]
fn a_text_that_is_refused_can_still_be_named() {
    for text in [
        r#"{"type":"HEARTBEAT","payload":null,"id":"7"}"#,
        r#" { "id" : "7" } "#,
        r#"{"type":"PAUSE","id":"7","payload":{}}"#,
        r#"{"type":"HEARTBEAT","type":"HEARTBEAT","payload":{},"id":"7"}"#,
    ] {
        decode(text).unwrap_err();
        assert_eq!(request_id_of(text).unwrap().as_json(), r#""7""#, "{text}");
    }
    for text in ["", "7", r#"["7"]"#, "{}", r#"{"id":7}"#, r#"{"id":""}"#, r#"{"id":"7"} 7"#] {
        assert_eq!(request_id_of(text), None, "{text}");
    }
    assert_eq!(request_id_of(r#"{"id":"7","id":"8"}"#), None, "nobody knows which");
    assert_eq!(request_id_of(r#"{"payload":{"id":"7"}}"#), None);
}

#[test]
fn each_field_that_a_message_needs_is_needed() {
    let complete = [
        (MessageType::Register, r#"{"clientId":"a"}"#),
        (MessageType::CallInitiate, r#"{"targetId":"a","sdpOffer":"o"}"#),
        (MessageType::CallAccept, r#"{"callId":"c","sdpAnswer":"a"}"#),
        (MessageType::CallReject, r#"{"callId":"c"}"#),
        (MessageType::CallEnd, r#"{"callId":"c"}"#),
        (MessageType::IceCandidate, r#"{"callId":"c","candidate":"x"}"#),
        (MessageType::CallRinging, r#"{"callId":"c"}"#),
        (MessageType::CallSignal, r#"{"callId":"c","data":"d"}"#),
        (MessageType::PkdRegister, r#"{"clientId":"a","publicKey":"k"}"#),
        (MessageType::PkdLookup, r#"{"clientId":"a"}"#),
    ];
    for (message_type, payload) in complete {
        let text = |payload: &str| {
            format!(r#"{{"type":"{}","payload":{payload}}}"#, message_type.as_str())
        };
        assert_eq!(decode(&text(payload)).unwrap().message.message_type(), message_type);
        let fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(payload).unwrap();
        for name in fields.keys() {
            for wrong in [None, Some("null"), Some("7"), Some("[\"a\"]"), Some("{}"), Some("true")]
            {
                let mut fields = fields.clone();
                match wrong {
                    None => fields.remove(name),
                    Some(json) => fields.insert(name.clone(), serde_json::from_str(json).unwrap()),
                };
                let text = text(&serde_json::Value::from(fields).to_string());
                assert_eq!(decode(&text), Err(DecodeError::Payload(message_type)), "{text}");
            }
        }
    }
}

#[test]
fn a_client_id_out_of_format_is_a_wrong_field() {
    for id in ["", "a b", "ü", r"a\n", "a/b", &"x".repeat(65)] {
        let text = format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{id}"}}}}"#);
        assert_eq!(decode(&text), Err(DecodeError::Payload(MessageType::Register)), "{id}");
    }
}
