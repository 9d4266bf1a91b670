//! The document, put together from the tables.

use securecall_protocol::Dialect;
use serde_json::{Map, Value, json};

use crate::description::Occasion;
use crate::message::{Direction, component};
use crate::{Description, Kind, client, codes, limits, server};

const DIALECTS: [Dialect; 2] = [Dialect::One, Dialect::Two];

/// The AsyncAPI 3 document.
pub fn document() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": info(),
        "defaultContentType": "application/json",
        "servers": { "local": { "host": "localhost:8080", "protocol": "ws" } },
        "channels": object(DIALECTS.map(|dialect| (channel_name(dialect), channel(dialect)))),
        "operations": object(DIALECTS.into_iter().flat_map(operations)),
        "components": {
            "messages": object(DIALECTS.into_iter().flat_map(messages)),
            "schemas": object(Kind::ALL.map(|kind| (kind.name(), kind.schema()))),
        },
    })
}

fn object(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(entries.into_iter().collect::<Map<_, _>>())
}

fn info() -> Value {
    json!({
        "title": "SecureCall signaling",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Generated from the Rust types; docs/protocol.md explains what a client does \
            with each message. The two channels are one endpoint: a connection speaks dialect 1 until \
            it is REGISTERED with `protocol: 2`. A message is one text frame. The server sends \
            only what is described here; a client must ignore unknown messages and fields all the \
            same. The server ignores unknown fields.",
        "license": { "name": "MIT OR Apache-2.0" },
    })
}

fn channel_name(dialect: Dialect) -> String {
    format!("dialect{}", number(dialect))
}

/// The dialect as the digit that clients know it by.
pub(crate) const fn number(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::One => 1,
        Dialect::Two => 2,
    }
}

/// The messages of a connection in one dialect, both ways.
fn channel(dialect: Dialect) -> Value {
    let of_channel = described(dialect).map(|(direction, description)| {
        let key = direction.key(&description);
        (
            key,
            reference(&["components", "messages", &direction.component_key(dialect, &description)]),
        )
    });
    json!({
        "address": "/signal",
        "title": format!("Dialect {}", number(dialect)),
        "messages": object(of_channel),
        "bindings": { "ws": { "method": "GET", "bindingVersion": "0.1.0" } },
        "x-limits": {
            "messageBytesMax": limits::MESSAGE_BYTES_MAX,
            "keyBytesMax": limits::KEY_BYTES_MAX,
            "requestIdCharactersMax": limits::REQUEST_ID_CHARS_MAX,
            "presentedCallsMax": limits::PRESENTED_MAX,
        },
        "x-close-codes": codes::close_codes(),
    })
}

/// Every message that a dialect has.
fn described(dialect: Dialect) -> impl Iterator<Item = (Direction, Description)> {
    let from_client = client::all().into_iter().map(|each| (Direction::FromClient, each));
    let from_server = server::all().into_iter().map(|each| (Direction::FromServer, each));
    from_client.chain(from_server).filter(move |(_, description)| description.is_in(dialect))
}

fn messages(dialect: Dialect) -> impl Iterator<Item = (String, Value)> {
    described(dialect).map(move |(direction, description)| {
        let key = direction.component_key(dialect, &description);
        (key, component(direction, dialect, &description))
    })
}

/// One operation for each request, with its answers, and one for messages that the server sends
/// unasked.
fn operations(dialect: Dialect) -> impl Iterator<Item = (String, Value)> {
    let received = client::all().into_iter().filter(move |request| request.is_in(dialect)).map(
        move |request| (operation_name(dialect, request.wire_type), receive(dialect, &request)),
    );
    received.chain([(operation_name(dialect, "send"), send(dialect))])
}

fn operation_name(dialect: Dialect, what: &str) -> String {
    format!("{}.{what}", channel_name(dialect))
}

fn receive(dialect: Dialect, request: &Description) -> Value {
    let mut operation = json!({
        "action": "receive",
        "channel": reference(&["channels", &channel_name(dialect)]),
        "summary": request.meaning,
        "messages": [message_reference(dialect, Direction::FromClient, request)],
    });
    let answers = answers(dialect, request);
    if !answers.is_empty() {
        operation["reply"] = json!({
            "channel": reference(&["channels", &channel_name(dialect)]),
            "messages": answers,
        });
    }
    operation
}

/// References to what may answer a request. Any request may be refused.
fn answers(dialect: Dialect, request: &Description) -> Vec<Value> {
    let answers = |answer: &Description| {
        answer.is_answer()
            && (answer.wire_type == "ERROR" || request.answers.contains(&answer.wire_type))
    };
    server::all()
        .iter()
        .filter(|answer| answer.is_in(dialect) && answers(answer))
        .map(|answer| message_reference(dialect, Direction::FromServer, answer))
        .collect()
}

fn send(dialect: Dialect) -> Value {
    let sent: Vec<_> = server::all()
        .iter()
        .filter(|message| message.is_in(dialect) && message.occasion != Occasion::Requested)
        .map(|message| message_reference(dialect, Direction::FromServer, message))
        .collect();
    json!({
        "action": "send",
        "channel": reference(&["channels", &channel_name(dialect)]),
        "summary": "Messages that the server sends without a request.",
        "messages": sent,
    })
}

fn message_reference(dialect: Dialect, direction: Direction, message: &Description) -> Value {
    reference(&["channels", &channel_name(dialect), "messages", &direction.key(message)])
}

fn reference(path: &[&str]) -> Value {
    json!({ "$ref": format!("#/{}", path.join("/")) })
}
