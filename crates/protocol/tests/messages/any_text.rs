//! Properties that hold for any text.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use securecall_protocol::{DecodeError, MessageType, Opaque, Reply, ServerMessage, decode};

use crate::oracle::{meaning, opaque_slices, understood};

/// A JSON text that resembles a message, more or less: right and wrong keys, right and wrong
/// values, in any order, keys sometimes twice.
fn message_like() -> impl Strategy<Value = String> {
    let types = MessageType::ALL.map(MessageType::as_str);
    let message_type = prop_oneof![
        12 => select(types.to_vec()).prop_map(|name| format!("\"{name}\"")),
        1 => any_json(),
    ];
    let payload = prop_oneof![15 => payload_like(), 1 => any_json()];
    let id = prop_oneof![3 => json_string(), 5 => client_id_like(), 1 => any_json()];
    let extra = (select(vec!["v", "type", "payload", "id", ""]), any_json());
    (message_type, payload, proptest::option::of(id), proptest::option::weighted(0.2, extra))
        .prop_map(|(message_type, payload, id, extra)| {
            let mut members =
                vec![format!("\"type\":{message_type}"), format!("\"payload\" : {payload}")];
            members.extend(id.map(|id| format!("\"id\":{id}")));
            members.extend(extra.map(|(key, value)| format!("\"{key}\":{value}")));
            members
        })
        .prop_shuffle()
        .prop_map(|members| format!("{{{}}}", members.join(" ,\n")))
}

fn payload_like() -> impl Strategy<Value = String> {
    let keys =
        ["clientId", "targetId", "callId", "sdpOffer", "sdpAnswer", "candidate", "publicKey", "x"];
    let value = prop_oneof![
        8 => json_string(),
        40 => client_id_like(),
        2 => any_json(),
        1 => string_that_is_not_unicode(),
    ];
    let again = proptest::option::weighted(0.05, select(vec!["callId", "call\\u0049d", "x"]));
    let dialect_two = proptest::collection::vec(dialect_two_member(), 0..4);
    (proptest::sample::subsequence(keys.to_vec(), 6..=8), again, dialect_two)
        .prop_flat_map(move |(mut keys, again, dialect_two)| {
            keys.extend(again);
            let values = proptest::collection::vec(value.clone(), keys.len());
            values.prop_map(move |values| {
                let member = |(key, value): (&&str, String)| format!("\"{key}\":{value}");
                let members = keys.iter().zip(values).map(member);
                members.chain(dialect_two.clone()).collect::<Vec<_>>()
            })
        })
        .prop_shuffle()
        .prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// A field that dialect 2 has added, mostly right.
fn dialect_two_member() -> impl Strategy<Value = String> + Clone {
    let right = select(vec![
        r#""protocol":2"#,
        r#""protocol":1"#,
        r#""protocol":3"#,
        r#""protocol":"2""#,
        r#""protocol":0"#,
        r#""resumeToken":"t\u0041""#,
        r#""resumeToken":null"#,
        r#""lastSeq":18446744073709551615"#,
        r#""seq":7"#,
        r#""data":"\u0041\/""#,
        r#""reason":"busy""#,
        r#""reason":"busy\ud800""#,
        r#""resumeToken":"\udc00""#,
        r#""calls":[]"#,
        r#""calls":[{"callId":"c\u0041","answered":true,"x":[]},{"callId":"d"}]"#,
    ]);
    let names = select(vec!["protocol", "resumeToken", "lastSeq", "seq", "reason", "calls"]);
    let any = (names, any_json()).prop_map(|(name, json)| format!("\"{name}\":{json}"));
    prop_oneof![8 => right.prop_map(String::from), 1 => any]
}

fn client_id_like() -> impl Strategy<Value = String> + Clone {
    "[a-zA-Z0-9_-]{1,64}".prop_map(|id| format!("\"{id}\""))
}

/// A JSON string, escaped more than it has to be.
fn json_string() -> impl Strategy<Value = String> + Clone {
    let character = prop_oneof![
        "[a-zA-Z0-9_-]",
        select(vec![
            r"\n",
            r"\/",
            r"\\",
            r#"\""#,
            r"\u0041",
            r"\u0000",
            r"\ud83e\udd80",
            "é",
            "🦀"
        ])
        .prop_map(String::from),
    ];
    proptest::collection::vec(character, 0..70)
        .prop_map(|characters| format!("\"{}\"", characters.concat()))
}

/// A JSON string in which half a surrogate pair stands alone.
fn string_that_is_not_unicode() -> impl Strategy<Value = String> + Clone {
    let half = select(vec![r"\ud800", r"\uDBFF", r"\udc00", r"\uDFFF", r"\udc00\ud800"]);
    // What follows is no half that it could be a pair with.
    (json_string(), half, json_string()).prop_map(|(before, half, behind)| {
        format!("{}{half} {}", before.trim_end_matches('"'), behind.trim_start_matches('"'))
    })
}

fn any_json() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![
        select(vec!["null", "true", "0", "-1.5e3", "\"\"", "[]", "{}"]).prop_map(String::from),
        json_string(),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| format!("[{}]", items.join(","))),
            inner.prop_map(|value| format!("{{\"type\":{value}}}")),
        ]
    })
}

#[test]
fn the_texts_of_these_tests_are_messages_often_enough_and_not_always() {
    let mut runner = TestRunner::deterministic();
    let texts = (0..1_000).map(|_| message_like().new_tree(&mut runner).unwrap().current());
    let messages = texts.filter(|text| decode(text).is_ok()).count();
    assert!((200..800).contains(&messages), "{messages} of 1000");
}

proptest! {
    #[test]
    fn a_message_means_the_same_to_the_oracle(text in message_like()) {
        let decoded = decode(&text);
        prop_assert_eq!(decoded.as_ref().map(understood).map_err(|e| *e), meaning(&text));
    }

    #[test]
    fn opaque_fields_are_slices_of_the_text(text in message_like()) {
        if let Ok(request) = decode(&text) {
            let range = text.as_bytes().as_ptr_range();
            for slice in opaque_slices(&request) {
                prop_assert!(range.contains(&slice.as_ptr()), "a copy");
                prop_assert!(slice.starts_with('"') && slice.ends_with('"'));
                prop_assert_eq!(Opaque::from_stored(slice).unwrap().as_json(), slice);
            }
        }
    }

    #[test]
    fn relayed_text_is_unicode(text in message_like()) {
        if let Ok(request) = decode(&text) {
            for slice in opaque_slices(&request) {
                prop_assert!(serde_json::from_str::<String>(slice).is_ok(), "{}", slice);
            }
        }
    }

    #[test]
    fn no_text_is_too_much(text in any::<String>()) {
        let _ = decode(&text);
    }

    #[test]
    fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = decode(text);
        }
    }

    #[test]
    fn a_message_cut_short_or_with_one_byte_changed_does_no_harm(
        text in message_like(),
        at in any::<prop::sample::Index>(),
        byte in 0u8..128,
    ) {
        let at = at.index(text.len());
        if let Some(start) = text.get(..at) {
            prop_assert_eq!(decode(start), Err(DecodeError::Malformed), "a message ends with }}");
        }
        let mut changed = text.into_bytes();
        changed[at] = byte;
        if let Ok(text) = String::from_utf8(changed) {
            let _ = decode(&text);
        }
    }

    #[test]
    fn relayed_json_is_valid_and_has_the_same_value(candidate in json_string()) {
        let sent = format!(
            r#"{{"type":"ICE_CANDIDATE","payload":{{"callId":"c","candidate":{candidate}}}}}"#
        );
        let request = decode(&sent).unwrap();
        let slice = Opaque::from_stored(opaque_slices(&request)[0]).unwrap();
        let message = ServerMessage::IceCandidate { call_id: "c".into(), candidate: slice };
        let mut relayed = String::new();
        Reply::from(message).encode(&mut relayed);
        prop_assert_eq!(relayed, sent);
    }
}
