//! One message of the document, with its schema.

use securecall_protocol::Dialect;
use serde_json::{Map, Value, json};

use crate::document::number;
use crate::{Description, Field, Kind, Presence};

/// The sender of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    FromClient,
    FromServer,
}

impl Direction {
    const fn as_str(self) -> &'static str {
        match self {
            Self::FromClient => "client",
            Self::FromServer => "server",
        }
    }

    /// The message's key in the channel of a dialect: some types go both ways.
    pub(crate) fn key(self, message: &Description) -> String {
        format!("{}.{}", self.as_str(), message.wire_type)
    }

    /// The message's key among all of the document.
    pub(crate) fn component_key(self, dialect: Dialect, message: &Description) -> String {
        format!("{}.{}.{}", self.as_str(), number(dialect), message.wire_type)
    }
}

/// The message object of AsyncAPI.
pub(crate) fn component(direction: Direction, dialect: Dialect, message: &Description) -> Value {
    let mut component = json!({
        "name": message.wire_type,
        "summary": message.meaning,
        "tags": [{ "name": format!("since-dialect-{}", number(message.since)) }],
        "payload": text(direction, dialect, message),
        "examples": [{ "payload": example(direction, dialect, message) }],
    });
    if let Some(place) = correlation(direction, message) {
        component["correlationId"] = json!({ "location": format!("$message.payload#/{place}") });
    }
    component
}

/// The field of a message that identifies its request.
fn correlation(direction: Direction, message: &Description) -> Option<&'static str> {
    match direction {
        Direction::FromClient => Some("id"),
        Direction::FromServer => message.is_answer().then_some("replyTo"),
    }
}

/// The schema of the whole text.
fn text(direction: Direction, dialect: Dialect, message: &Description) -> Value {
    let mut properties = json!({
        "type": { "const": message.wire_type },
        "payload": payload(direction, dialect, message),
    });
    let mut required = vec!["type", "payload"];
    if let Some(place) = correlation(direction, message) {
        properties[place] = Kind::RequestId.reference();
    }
    if is_numbered(direction, dialect, message) {
        properties["seq"] = Kind::Seq.reference();
        required.push("seq");
    }
    closed(direction, json!({ "type": "object", "required": required, "properties": properties }))
}

fn is_numbered(direction: Direction, dialect: Dialect, message: &Description) -> bool {
    direction == Direction::FromServer && dialect == Dialect::Two && message.is_numbered
}

fn payload(direction: Direction, dialect: Dialect, message: &Description) -> Value {
    let properties: Map<_, _> =
        message.fields_in(dialect).map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<_> = message
        .fields_in(dialect)
        .filter(|field| field.presence == Presence::Always)
        .map(|field| field.name)
        .collect();
    closed(direction, json!({ "type": "object", "required": required, "properties": properties }))
}

/// The server sends no field besides; of a client's it ignores them.
fn closed(direction: Direction, mut schema: Value) -> Value {
    if direction == Direction::FromServer {
        schema["additionalProperties"] = json!(false);
    }
    schema
}

/// A reference alone would hide what stands beside it (JSON Schema draft 7, 8.3).
fn property(field: &Field) -> Value {
    json!({
        "description": field.meaning,
        "allOf": [field.kind.reference()],
        "x-since-dialect": number(field.since),
    })
}

/// The message with every field that it can have.
fn example(direction: Direction, dialect: Dialect, message: &Description) -> Value {
    let payload: Map<_, _> = message
        .fields_in(dialect)
        .map(|field| (field.name.to_owned(), field.kind.example()))
        .collect();
    let mut example = json!({ "type": message.wire_type, "payload": payload });
    if let Some(place) = correlation(direction, message) {
        example[place] = Kind::RequestId.example();
    }
    if is_numbered(direction, dialect, message) {
        example["seq"] = Kind::Seq.example();
    }
    example
}
