//! `docs/asyncapi.json` is made from the types.

use std::path::Path;
use std::{env, fs};

use securecall_asyncapi::document;

#[test]
fn the_document_in_docs_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/asyncapi.json");
    let current = format!("{:#}\n", document());
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, current).unwrap();
    } else {
        let stale = "stale: UPDATE=1 cargo test -p securecall-asyncapi up_to_date";
        assert!(fs::read_to_string(&path).unwrap_or_default() == current, "{stale}");
    }
}
