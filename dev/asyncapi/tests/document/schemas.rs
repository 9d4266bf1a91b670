//! The document's schemas, ready to judge texts.

use std::collections::HashMap;

use jsonschema::Validator;
use securecall_asyncapi::document;
use serde_json::{Value, json};

/// One validator for each message of each dialect.
pub(crate) struct Schemas(HashMap<String, Validator>);

impl Schemas {
    pub(crate) fn new() -> Self {
        let document = document();
        let messages = document["components"]["messages"].as_object().unwrap();
        Self(messages.iter().map(|(key, _)| (key.clone(), validator(&document, key))).collect())
    }

    pub(crate) fn takes(&self, direction: &str, dialect: u8, message: &Value) -> bool {
        let key = format!("{direction}.{dialect}.{}", message["type"].as_str().unwrap_or_default());
        self.0.get(&key).is_some_and(|schema| schema.is_valid(message))
    }
}

fn validator(document: &Value, key: &str) -> Validator {
    let schema = json!({
        "allOf": [{ "$ref": format!("#/components/messages/{key}/payload") }],
        "components": document["components"],
    });
    jsonschema::draft7::new(&schema).unwrap()
}

/// Every variation of a message with one field gone: first of the text, then of the payload.
pub(crate) fn with_one_field_less(message: &Value) -> Vec<(String, Value)> {
    without_one_of(message, "").chain(without_one_of(message, "/payload")).collect()
}

fn without_one_of(message: &Value, place: &'static str) -> impl Iterator<Item = (String, Value)> {
    let names: Vec<_> =
        message.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect();
    names.into_iter().map(move |name| {
        let mut less = message.clone();
        less.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(&name);
        (name, less)
    })
}

#[test]
fn every_example_is_valid() {
    let (document, schemas) = (document(), Schemas::new());
    for (key, component) in document["components"]["messages"].as_object().unwrap() {
        let (direction, dialect) = (key.split('.').next().unwrap(), &key[7..8]);
        let example = &component["examples"][0]["payload"];
        assert!(schemas.takes(direction, dialect.parse().unwrap(), example), "{key}: {example}");
    }
}
