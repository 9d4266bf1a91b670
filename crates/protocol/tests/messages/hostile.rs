//! Hostile messages: those that have felled servers like this one, and those that might.

use securecall_protocol::{DecodeError, MessageType, decode};

#[test]
fn a_text_that_is_not_an_object_is_malformed() {
    for text in
        ["", " ", "null", "true", "0", r#""REGISTER""#, "[]", "{", "}", "{}{}", "\u{feff}{}"]
    {
        assert_eq!(decode(text), Err(DecodeError::Malformed), "{text}");
    }
}

#[test]
fn arrays_are_no_objects() {
    assert_eq!(decode(r#"["CALL_END",{"callId":"c"},null]"#), Err(DecodeError::Malformed));
    let text = r#"{"type":"CALL_END","payload":[null,null,"c"]}"#;
    assert_eq!(decode(text), Err(DecodeError::Malformed));
}

#[test]
fn the_names_of_a_javascript_object_are_no_types() {
    for name in ["__proto__", "constructor", "toString", "hasOwnProperty", "", "register"] {
        let text = format!(r#"{{"type":"{name}","payload":{{}}}}"#);
        assert_eq!(decode(&text), Err(DecodeError::UnknownType), "{name}");
    }
}

#[test]
fn a_type_that_is_no_string_is_malformed() {
    for json in ["null", "1", "[]", "{}", r#"["REGISTER"]"#] {
        let text = format!(r#"{{"type":{json},"payload":{{}}}}"#);
        assert_eq!(decode(&text), Err(DecodeError::Malformed), "{json}");
    }
}

#[test]
fn a_payload_is_needed_and_is_an_object() {
    assert_eq!(decode(r#"{"type":"HEARTBEAT"}"#), Err(DecodeError::Malformed));
    for json in ["null", "1", r#""x""#, "[]", "[{}]"] {
        let text = format!(r#"{{"type":"HEARTBEAT","payload":{json}}}"#);
        assert_eq!(decode(&text), Err(DecodeError::Malformed), "{json}");
    }
}

#[test]
fn a_key_that_comes_twice_is_an_error() {
    for text in [
        r#"{"type":"HEARTBEAT","type":"HEARTBEAT","payload":{}}"#,
        r#"{"type":"HEARTBEAT","\u0074ype":"CALL_END","payload":{}}"#,
        r#"{"type":"HEARTBEAT","payload":{},"payload":{}}"#,
        r#"{"type":"HEARTBEAT","payload":{},"id":"1","id":"2"}"#,
        r#"{"type":"CALL_END","payload":{"callId":"a","callId":"b"}}"#,
        r#"{"type":"CALL_END","payload":{"callId":"a","call\u0049d":"b"}}"#,
        r#"{"type":"CALL_END","payload":{"callId":null,"callId":"b"}}"#,
    ] {
        assert_eq!(decode(text), Err(DecodeError::Malformed), "{text}");
    }
}

#[test]
fn nesting_of_any_depth_costs_no_stack() {
    const DEPTH: usize = 10_000;
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")] {
        let deep = format!("{}0{}", open.repeat(DEPTH), close.repeat(DEPTH));
        assert_eq!(decode(&deep), Err(DecodeError::Malformed));
        let of_type = format!(r#"{{"type":{deep},"payload":{{}}}}"#);
        assert_eq!(decode(&of_type), Err(DecodeError::Malformed));
        let of_field = format!(r#"{{"type":"CALL_END","payload":{{"callId":{deep}}}}}"#);
        assert_eq!(decode(&of_field), Err(DecodeError::Malformed));
        let unclosed = format!(r#"{{"x":{}"#, open.repeat(DEPTH));
        assert_eq!(decode(&unclosed), Err(DecodeError::Malformed));
    }
}

#[test]
fn an_unknown_field_may_nest_128_levels_deep_and_no_deeper() {
    let with = |levels: usize| {
        let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let text = format!(r#"{{"x":{deep},"type":"HEARTBEAT","payload":{{"y":{deep}}}}}"#);
        decode(&text).map(|request| request.message.message_type())
    };
    assert_eq!(with(128), Ok(MessageType::Heartbeat));
    assert_eq!(with(129), Err(DecodeError::Malformed));
}

/// Half a surrogate pair, which no reader that follows RFC 7493 takes.
const LONE_SURROGATES: [&str; 4] = [r"\ud800", r"\udfff", r"\udc00\ud800", r"a\uD800\n"];

#[test]
fn a_string_of_a_message_is_unicode() {
    for (message_type, fields) in [
        ("CALL_INITIATE", r#""targetId":"bob","sdpOffer":"X""#),
        ("CALL_ACCEPT", r#""callId":"c","sdpAnswer":"X""#),
        ("CALL_ACCEPT", r#""callId":"X","sdpAnswer":"a""#),
        ("CALL_RINGING", r#""callId":"X""#),
        ("CALL_REJECT", r#""callId":"X""#),
        ("CALL_REJECT", r#""callId":"c","reason":"X""#),
        ("CALL_END", r#""callId":"X""#),
        ("ICE_CANDIDATE", r#""callId":"c","candidate":"X""#),
        ("ICE_CANDIDATE", r#""callId":"X","candidate":"c""#),
        ("CALL_SIGNAL", r#""callId":"c","data":"X""#),
        ("PKD_REGISTER", r#""clientId":"alice","publicKey":"X""#),
        ("REGISTER", r#""clientId":"alice","protocol":2,"resumeToken":"X""#),
    ] {
        let text = |string| {
            let fields = fields.replace('X', string);
            format!(r#"{{"type":"{message_type}","payload":{{{fields}}}}}"#)
        };
        assert!(decode(&text(r"\ud83d\ude00\n")).is_ok(), "{message_type} {fields}");
        for lone in LONE_SURROGATES {
            let text = text(lone);
            assert_eq!(decode(&text), Err(DecodeError::NotUnicode), "{text}");
        }
    }
}

#[test]
fn names_of_every_kind_are_unicode_too() {
    for lone in LONE_SURROGATES {
        for text in [
            format!(r#"{{"type":"HEARTBEAT{lone}","payload":{{}}}}"#),
            format!(r#"{{"type":"HEARTBEAT","payload":{{}},"id":"{lone}"}}"#),
            format!(r#"{{"type":"PKD_LOOKUP","payload":{{"clientId":"{lone}"}}}}"#),
            format!(
                r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"{lone}","sdpOffer":""}}}}"#
            ),
            format!(
                r#"{{"type":"REGISTER","payload":{{"clientId":"a","protocol":2,"calls":[{{"callId":"{lone}"}}]}}}}"#
            ),
        ] {
            assert!(decode(&text).is_err(), "{text}");
        }
    }
}

#[test]
fn an_unknown_field_may_hold_any_json_string() {
    for lone in LONE_SURROGATES {
        let text = format!(
            r#"{{"{lone}":"{lone}","type":"HEARTBEAT","payload":{{"sdpOffer":"{lone}","{lone}":["{lone}"]}}}}"#
        );
        assert!(decode(&text).is_ok(), "{text}");
    }
}

#[test]
fn huge_numbers_are_errors() {
    for number in ["1e999999", "-1e999999", &"9".repeat(10_000), "0.1e-999999"] {
        let of_field = format!(r#"{{"type":"CALL_END","payload":{{"callId":{number}}}}}"#);
        assert_eq!(decode(&of_field), Err(DecodeError::Payload(MessageType::CallEnd)), "{number}");
        let of_type = format!(r#"{{"type":{number},"payload":{{}}}}"#);
        assert_eq!(decode(&of_type), Err(DecodeError::Malformed), "{number}");
    }
}

#[test]
fn a_text_that_json_forbids_is_malformed() {
    for json in ["NaN", "Infinity", "01", "+1", "'x'", "\"\n\"", r#""\x""#, "/**/1", "1,", "nul"] {
        for text in [
            format!(r#"{{"type":"HEARTBEAT","payload":{{}},"x":{json}}}"#),
            format!(r#"{{"type":"HEARTBEAT","payload":{{"callId":{json}}}}}"#),
        ] {
            assert_eq!(decode(&text), Err(DecodeError::Malformed), "{text}");
        }
    }
}

#[test]
fn an_error_repeats_nothing_of_the_message() {
    let errors = [
        DecodeError::Malformed,
        DecodeError::UnknownType,
        DecodeError::RequestId,
        DecodeError::NotUnicode,
    ];
    let payloads = MessageType::ALL.map(DecodeError::Payload);
    for error in errors.into_iter().chain(payloads) {
        assert!(!error.message().is_empty());
        assert!(!error.message().contains(['"', '\\']), "its text goes out as it is");
    }
}
