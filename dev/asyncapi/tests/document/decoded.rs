//! The document's description of clients' messages, compared with what the decoder reads.

use std::sync::LazyLock;

use proptest::prelude::*;
use securecall_asyncapi::{client, document, limits};
use securecall_protocol::{MessageType, decode};
use serde_json::{Value, json};

use crate::from_schema::any_value;
use crate::schemas::{Schemas, with_one_field_less};
use crate::written::written;

const TYPES: [MessageType; MessageType::ALL.len()] = MessageType::ALL;

/// A message that the schema takes, with its dialect.
fn any_message() -> impl Strategy<Value = (u8, Value)> {
    let document = document();
    let all: Vec<_> = (document["components"]["messages"].as_object().unwrap().iter())
        .filter(|(key, _)| key.starts_with("client."))
        .map(|(key, component)| {
            let dialect = key[7..8].parse().unwrap();
            (Just(dialect), any_value(&document, &component["payload"])).boxed()
        })
        .collect();
    prop::strategy::Union::new(all)
}

/// A message with every field that it can have.
fn whole(dialect: u8, message_type: &str) -> Option<Value> {
    let key = format!("client.{dialect}.{message_type}");
    let component = &document()["components"]["messages"][key];
    Some(component["examples"][0]["payload"].clone()).filter(Value::is_object)
}

fn every_whole_message() -> impl Iterator<Item = (u8, Value)> {
    let in_dialect = |dialect| TYPES.map(|each| Some((dialect, whole(dialect, each.as_str())?)));
    in_dialect(1).into_iter().chain(in_dialect(2)).flatten()
}

/// A placeholder for a field that is not there.
fn filled(message: &Value) -> Value {
    let mut filled = message.clone();
    let payload = &mut filled["payload"];
    match message["type"].as_str().unwrap() {
        "CALL_REJECT" => {
            fill(payload, "reason", json!("declined"));
            fill(payload, "clockAheadSeconds", Value::Null);
            // Reason and number go together.
            if payload["reason"] != "clock" {
                payload["clockAheadSeconds"] = Value::Null;
            } else if payload["clockAheadSeconds"].is_null() {
                payload["reason"] = json!("declined");
            }
        }
        "REGISTER" if payload["protocol"].as_u64().is_some_and(|asked| asked >= 2) => {
            // The latest protocol that is spoken here answers a later one.
            payload["protocol"] = json!(2);
            fill(payload, "resumeToken", Value::Null);
            fill(payload, "lastSeq", json!(0));
            fill(payload, "calls", json!([]));
            for call in payload["calls"].as_array_mut().unwrap() {
                fill(call, "answered", json!(false));
            }
        }
        _ => {}
    }
    filled
}

fn fill(object: &mut Value, name: &str, value: Value) {
    object.as_object_mut().unwrap().entry(name).or_insert(value);
}

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::new);

proptest! {
    #[test]
    fn every_valid_message_is_understood_in_every_field((dialect, message) in any_message()) {
        prop_assert!(SCHEMAS.takes("client", dialect, &message));
        let text = message.to_string();
        let request = decode(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(written(&request), filled(&message));
        prop_assert_eq!(client::of(&request.message).wire_type, message["type"].as_str().unwrap());
    }
}

#[test]
fn every_type_that_the_decoder_knows_is_described_once() {
    let mut described: Vec<_> = client::all().iter().map(|each| each.wire_type).collect();
    let mut known: Vec<_> = TYPES.iter().map(|each| each.as_str()).collect();
    described.sort_unstable();
    known.sort_unstable();
    assert_eq!(described, known);
}

#[test]
fn without_a_required_field_both_refuse_and_without_another_both_take_it() {
    let schemas = Schemas::new();
    for (dialect, message) in every_whole_message() {
        for (name, less) in with_one_field_less(&message) {
            // Without `protocol` it is a good message, of dialect 1.
            let dialect = if name == "protocol" { 1 } else { dialect };
            let understood = decode(&less.to_string()).is_ok();
            assert_eq!(schemas.takes("client", dialect, &less), understood, "{name}: {less}");
        }
    }
}

#[test]
fn every_field_of_the_document_is_read() {
    for (_, message) in every_whole_message() {
        let names: Vec<_> = message["payload"].as_object().unwrap().keys().cloned().collect();
        for name in names {
            let mut other = message.clone();
            other["payload"][&name] = json!({});
            let text = other.to_string();
            let same = decode(&text).is_ok_and(|request| written(&request) == filled(&message));
            assert!(!same, "{name} does not matter in {message}");
        }
    }
}

#[test]
fn a_field_besides_is_fine_and_ignored() {
    let schemas = Schemas::new();
    for (dialect, mut message) in every_whole_message() {
        let before = filled(&message);
        message["later"] = json!({});
        message["payload"]["later"] = json!(null);
        assert!(schemas.takes("client", dialect, &message), "{message}");
        assert_eq!(written(&decode(&message.to_string()).unwrap()), before);
    }
}

/// Schema and decoder must agree on both sides of a bound.
#[track_caller]
fn assert_bound(dialect: u8, inside: &Value, beyond: &Value) {
    let schemas = Schemas::new();
    for (message, expected) in [(inside, true), (beyond, false)] {
        assert_eq!(schemas.takes("client", dialect, message), expected);
        assert_eq!(decode(&message.to_string()).is_ok(), expected);
    }
}

#[test]
fn bounds_are_those_of_the_decoder() {
    let named = |characters: u64| {
        let mut message = whole(2, "HEARTBEAT").unwrap();
        message["id"] = json!("é".repeat(characters as usize));
        message
    };
    assert_bound(2, &named(limits::REQUEST_ID_CHARS_MAX), &named(limits::REQUEST_ID_CHARS_MAX + 1));
    assert_bound(2, &named(1), &named(0));

    let presenting = |calls: u64| {
        let mut message = whole(2, "REGISTER").unwrap();
        message["payload"]["calls"] = (0..calls).map(|_| json!({ "callId": "c" })).collect();
        message
    };
    assert_bound(2, &presenting(limits::PRESENTED_MAX), &presenting(limits::PRESENTED_MAX + 1));

    let looking_up = |client_id: &str| {
        let mut message = whole(1, "PKD_LOOKUP").unwrap();
        message["payload"]["clientId"] = json!(client_id);
        message
    };
    assert_bound(1, &looking_up(&"a".repeat(64)), &looking_up(&"a".repeat(65)));
    assert_bound(1, &looking_up("a-_Z9"), &looking_up("a.b"));
    assert_bound(1, &looking_up("a"), &looking_up("a\n"));
}
