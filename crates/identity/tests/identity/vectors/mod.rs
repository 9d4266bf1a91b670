//! The test vectors in `vectors/identity`, for implementations in other languages.
//!
//! Each case is written from the page, by hand, with the result that it must have; the crate is
//! held to it here, and `tests/interop/test_identity_vectors.py` holds a second implementation to
//! the same files. `UPDATE=1 cargo test --workspace --test identity vectors` writes them again.

mod bundles;
mod chains;
mod contacts;
mod ed25519;
mod kem_keys;
mod links;
mod names;
mod proofs;
mod recovery;

use std::{collections::BTreeSet, fs, path::PathBuf};

use securecall_identity::Refusal;
use serde_json::{Value, json};

/// Makes what belongs into a file.
type Make = fn() -> Value;

const FILES: [(&str, Make); 10] = [
    ("bundles", bundles::file),
    ("chains", chains::file),
    ("contacts", contacts::file),
    ("ed25519", ed25519::file),
    ("ids", names::ids),
    ("kem-keys", kem_keys::file),
    ("links", links::file),
    ("origins", names::origins),
    ("proofs", proofs::file),
    ("recovery", recovery::file),
];

#[test]
fn the_cases_here_make_the_vectors() {
    for (name, made) in FILES {
        let made = made();
        let path: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "../../vectors/identity", &format!("{name}.json")]
                .iter()
                .collect();
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
        }
        let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(kept == made, "vectors/identity/{name}.json is out of date: UPDATE=1");
    }
}

#[test]
fn each_refusal_has_a_vector() {
    let mut results = BTreeSet::new();
    for (_, made) in FILES {
        collect_results(&made(), &mut results);
    }
    for refusal in Refusal::ALL {
        assert!(results.contains(refusal.name()), "no vector for {}", refusal.name());
    }
}

#[test]
fn no_two_cases_of_a_list_have_one_name() {
    for (file, made) in FILES {
        for (list, cases) in made().as_object().unwrap() {
            let cases = cases.as_array().unwrap();
            let names: BTreeSet<_> = cases.iter().map(|case| case["name"].as_str()).collect();
            assert_eq!(names.len(), cases.len(), "{file}: {list}");
        }
    }
}

fn collect_results(value: &Value, results: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            results.extend(fields.get("result").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect_results(field, results));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_results(item, results)),
        _ => {}
    }
}

/// The name of a result: its variant, or the refusal.
fn result_name<T>(result: &Result<T, Refusal>) -> &'static str {
    result.as_ref().map_or_else(|refusal| refusal.name(), |_| "accepted")
}

/// Puts the fields of the second into the first.
fn with(mut case: Value, more: Value) -> Value {
    let (Value::Object(fields), Value::Object(more)) = (&mut case, more) else {
        panic!("both are objects")
    };
    fields.extend(more);
    case
}

/// The result field of a case, once the crate is found to agree.
#[track_caller]
fn agreed(name: &str, found: &str, expected: &str) -> Value {
    assert_eq!(found, expected, "{name}");
    json!({ "name": name, "result": expected })
}
