//! Any value that a schema takes.

use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::{Value, json};

/// A strategy for the schema's values. `document` is where its references lead.
pub(crate) fn any_value(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let schema = resolved(document, schema);
    if let Some(constant) = schema.get("const") {
        return Just(constant.clone()).boxed();
    }
    if let Some(choices) = schema.get("enum") {
        return prop::sample::select(choices.as_array().unwrap().clone()).boxed();
    }
    match schema["type"].as_str().unwrap() {
        "string" => any_text(schema),
        "integer" => {
            let bound = |name: &str| schema[name].as_i64().unwrap();
            (bound("minimum")..=bound("maximum")).prop_map(Value::from).boxed()
        }
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "array" => {
            let items = any_value(document, &schema["items"]);
            let most = schema["maxItems"].as_u64().unwrap_or(3).min(64) as usize;
            prop::collection::vec(items, 0..=most).prop_map(Value::from).boxed()
        }
        "object" => any_object(document, schema),
        other => panic!("a schema of type {other}"),
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref"));
    reference.map_or(schema, |path| document.pointer(&path.as_str().unwrap()[1..]).unwrap())
}

fn any_text(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(pattern) = schema.get("pattern") {
        let pattern = pattern.as_str().unwrap().trim_matches(['^', '$']);
        return string_regex(pattern).unwrap().prop_map(Value::from).boxed();
    }
    let bound = |name: &str| schema[name].as_u64();
    let (least, most) = (bound("minLength").unwrap_or(0), bound("maxLength").unwrap_or(200));
    let characters = prop::collection::vec(any::<char>(), least as usize..=most.min(200) as usize);
    characters.prop_map(|text| Value::from(text.into_iter().collect::<String>())).boxed()
}

/// Required members are there, others sometimes.
fn any_object(document: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let required = schema["required"].as_array().unwrap();
    let mut object = Just(json!({})).boxed();
    for (name, member) in schema["properties"].as_object().unwrap() {
        let value = any_value(document, member);
        let always = required.contains(&json!(name));
        let member = (value, any::<bool>())
            .prop_map(move |(value, there)| (always || there).then_some(value));
        let name = name.clone();
        object = (object, member)
            .prop_map(move |(mut object, member)| {
                if let Some(value) = member {
                    object[&name] = value;
                }
                object
            })
            .boxed();
    }
    object
}
