//! Dialect 2: its additions, in both directions.

use securecall_protocol::{
    CallMessage, ClientId, ClientMessage, DecodeError, Dialect, EndReason, ErrorCode, MessageClass,
    MessageRates, MessageType, Opaque, Presented, Rate, Registered, Registration, RejectReason,
    Reply, Resumption, ServerMessage, decode,
};
use serde_json::{Value, json};

fn registration(payload: &str) -> Result<Registration<'_>, DecodeError> {
    let request = decode(payload)?;
    let ClientMessage::Register(registration) = request.message else { panic!("no REGISTER") };
    Ok(*registration)
}

fn register(fields: &str) -> String {
    format!(r#"{{"type":"REGISTER","payload":{{"clientId":"abc123",{fields}}}}}"#)
}

#[test]
fn a_registration_names_the_one_to_resume() {
    let text = register(
        r#""protocol":2,"resumeToken":"t","lastSeq":7,"calls":[{"callId":"c","answered":true},{"callId":"d"}]"#,
    );
    let registration = registration(&text).unwrap();
    assert_eq!(registration.dialect, Dialect::Two);
    assert_eq!(registration.resume_token.as_deref(), Some("t"));
    assert_eq!(registration.last_seq, 7);
    let call = |call_id: &'static str, answered| Presented { call_id: call_id.into(), answered };
    assert_eq!(registration.calls, [call("c", true), call("d", false)]);
}

#[test]
fn everything_beyond_the_protocol_may_be_left_out() {
    for fields in
        [r#""protocol":2"#, r#""protocol":2,"resumeToken":null,"lastSeq":null,"calls":null"#]
    {
        let text = register(fields);
        let registration = registration(&text).unwrap();
        assert_eq!(registration.dialect, Dialect::Two);
        assert_eq!((registration.resume_token, registration.last_seq), (None, 0));
        assert_eq!(registration.calls, []);
    }
}

#[test]
fn a_later_protocol_is_answered_in_dialect_2() {
    for protocol in ["2", "3", "10", "18446744073709551616"] {
        let text = register(&format!(r#""protocol":{protocol},"lastSeq":7"#));
        let registration = registration(&text).unwrap();
        assert_eq!((registration.dialect, registration.last_seq), (Dialect::Two, 7), "{protocol}");
    }
}

#[test]
fn an_invalid_protocol_number_is_refused() {
    for protocol in ["\"2\"", "0", "-1", "-2", "2.0", "2.5", "2e0", "[]", "{}", "true", "\"\""] {
        let text = register(&format!(r#""protocol":{protocol}"#));
        let refused = Err(DecodeError::Payload(MessageType::Register));
        assert_eq!(registration(&text), refused, "{protocol}");
    }
}

#[test]
fn in_dialect_1_the_fields_of_dialect_2_are_ignored() {
    for protocol in ["1", "null"] {
        let text = register(&format!(
            r#""protocol":{protocol},"resumeToken":7,"lastSeq":"x","calls":{{}}"#
        ));
        let registration = registration(&text).unwrap();
        assert_eq!(registration.dialect, Dialect::One, "{protocol}");
        assert_eq!((registration.resume_token, registration.last_seq), (None, 0));
    }
}

#[test]
fn wrong_fields_of_a_registration_are_refused() {
    let many = vec![r#"{"callId":"c"}"#; 65].join(",");
    for wrong in [
        r#""resumeToken":7"#,
        r#""lastSeq":-1"#,
        r#""lastSeq":1.5"#,
        r#""lastSeq":"7""#,
        r#""calls":{}"#,
        r#""calls":["c"]"#,
        r#""calls":[{"answered":true}]"#,
        r#""calls":[{"callId":"c","answered":"yes"}]"#,
        &format!(r#""calls":[{many}]"#),
    ] {
        let text = register(&format!(r#""protocol":2,{wrong}"#));
        assert_eq!(
            registration(&text),
            Err(DecodeError::Payload(MessageType::Register)),
            "{wrong}"
        );
    }
}

#[test]
fn an_acknowledgement_is_a_whole_number() {
    let ack = |seq: &str| format!(r#"{{"type":"ACK","payload":{{"seq":{seq}}}}}"#);
    let largest = u64::MAX.to_string();
    for seq in ["0", "7", &largest] {
        let expected = ClientMessage::Ack { seq: seq.parse().unwrap() };
        assert_eq!(decode(&ack(seq)).unwrap().message, expected);
    }
    for seq in ["-1", "1.5", "1e3", "\"7\"", "null", "18446744073709551616"] {
        assert_eq!(decode(&ack(seq)), Err(DecodeError::Payload(MessageType::Ack)), "{seq}");
    }
}

fn in_dialect_two(message: ServerMessage<'_>) -> Value {
    let reply = Reply { message, dialect: Dialect::Two, seq: Some(42), reply_to: None };
    let mut text = String::new();
    reply.encode(&mut text);
    assert_eq!(text.len(), reply.encoded_bytes());
    serde_json::from_str(&text).unwrap()
}

fn id(text: &str) -> ClientId {
    ClientId::try_from(text).unwrap()
}

#[test]
fn every_message_of_dialect_2_has_its_number_and_its_fields() {
    let resumption = Resumption {
        resume_token: "t".into(),
        resumed: true,
        heartbeat_seconds: 25,
        message_bytes_max: 65_536,
        rates: MessageRates::from_fn(|class| match class {
            MessageClass::Calls => Rate::new(7, 3.0),
            other => Rate::default_of(other),
        }),
    };
    let registered = Registered { client_id: id("a"), resumption: Some(resumption) };
    let data = Opaque::from_stored(r#""d""#).unwrap();
    let expected = [
        (
            ServerMessage::Registered(registered),
            json!({"type": "REGISTERED", "seq": 42, "payload": {"clientId": "a", "protocol": 2,
                   "resumeToken": "t", "resumed": true, "heartbeatSeconds": 25,
                   "maxMessageBytes": 65_536, "rates": {
                       "calls": {"burst": 7, "intervalMs": 334},
                       "hangups": {"burst": 100, "intervalMs": 50},
                       "candidates": {"burst": 400, "intervalMs": 20},
                       "directory": {"burst": 20, "intervalMs": 500},
                       "acks": {"burst": 400, "intervalMs": 20},
                       "other": {"burst": 30, "intervalMs": 200}}}}),
        ),
        (
            ServerMessage::CallInitiated {
                call_id: "c".into(),
                target_id: id("b"),
                ice_servers: None,
            },
            json!({"type": "CALL_INITIATED", "seq": 42,
                   "payload": {"callId": "c", "targetId": "b"}}),
        ),
        (
            ServerMessage::CallRinging { call_id: "c".into() },
            json!({"type": "CALL_RINGING", "seq": 42, "payload": {"callId": "c"}}),
        ),
        (
            ServerMessage::CallSignal { call_id: "c".into(), data },
            json!({"type": "CALL_SIGNAL", "seq": 42, "payload": {"callId": "c", "data": "d"}}),
        ),
        (
            ServerMessage::Error {
                code: ErrorCode::RateLimited,
                message: "words".into(),
                retry_after_ms: Some(100),
            },
            json!({"type": "ERROR", "seq": 42, "payload": {"code": "RATE_LIMITED",
                   "message": "words", "retryAfterMs": 100}}),
        ),
    ];
    for (message, expected) in expected {
        assert_eq!(in_dialect_two(message), expected);
    }
}

#[test]
fn dialect_2_is_sent_reasons() {
    for reason in EndReason::ALL {
        let ended = in_dialect_two(ServerMessage::CallEnded { call_id: "c".into(), reason });
        assert_eq!(ended["payload"], json!({"callId": "c", "reason": reason.as_str()}));
    }
    for reason in RejectReason::ALL {
        let rejected = in_dialect_two(ServerMessage::CallRejected { call_id: "c".into(), reason });
        let mut payload = json!({"callId": "c", "reason": reason.as_str()});
        if let Some(seconds) = reason.clock_ahead_seconds() {
            payload["clockAheadSeconds"] = seconds.into();
        }
        assert_eq!(rejected["payload"], payload);
    }
}

#[test]
fn a_wrong_clock_comes_with_its_offset_and_is_declined_without() {
    for ahead_seconds in [i32::MIN, -301, 0, 301, i32::MAX] {
        let reason = RejectReason::Clock { ahead_seconds };
        let payload = json!({"callId": "c", "reason": "clock", "clockAheadSeconds": ahead_seconds});
        let text = json!({"type": "CALL_REJECT", "payload": payload}).to_string();
        let ClientMessage::Call(CallMessage::CallReject { reason: read, .. }) =
            decode(&text).unwrap().message
        else {
            panic!("{text}")
        };
        assert_eq!(read, reason);
        let rejected = in_dialect_two(ServerMessage::CallRejected { call_id: "c".into(), reason });
        assert_eq!(rejected["payload"], payload);
    }
    for seconds in [json!(null), json!("301"), json!(3.5), json!(1_u64 << 31)] {
        let payload = json!({"callId": "c", "reason": "clock", "clockAheadSeconds": seconds});
        let text = json!({"type": "CALL_REJECT", "payload": payload}).to_string();
        let ClientMessage::Call(CallMessage::CallReject { reason, .. }) =
            decode(&text).unwrap().message
        else {
            panic!("{text}")
        };
        assert_eq!(reason, RejectReason::Declined);
    }
}

#[test]
fn numbers_are_written_in_full() {
    for seq in [0, 1, 9, 10, 1_000_000, u64::MAX] {
        let message = ServerMessage::HeartbeatAck;
        let reply = Reply { message, dialect: Dialect::Two, seq: Some(seq), reply_to: None };
        let mut text = String::new();
        reply.encode(&mut text);
        assert_eq!(text, format!(r#"{{"type":"HEARTBEAT_ACK","payload":{{}},"seq":{seq}}}"#));
    }
}
