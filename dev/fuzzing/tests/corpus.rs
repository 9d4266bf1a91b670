//! Every input of `fuzz/corpus`, as it was found.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use securecall_fuzzing::{identity_parse, message_decode, seal_open, websocket_decode};

#[test]
fn no_input_that_fuzzing_has_found_breaks_a_property() {
    for input in corpus("identity_parse") {
        identity_parse(&input);
    }
    for input in corpus("seal_open") {
        seal_open(&input);
    }
    for input in corpus("websocket_decode") {
        websocket_decode(&input);
    }
    // libFuzzer, too, gives this target only what is UTF-8.
    for text in corpus("message_decode").into_iter().filter_map(|it| String::from_utf8(it).ok()) {
        message_decode(&text);
    }
}

#[test]
fn every_corpus_has_a_target() {
    let folders = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = folders.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["identity_parse", "message_decode", "seal_open", "websocket_decode"]);
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder().join(target)).unwrap();
    let inputs: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() >= 5, "{target}: {} inputs", inputs.len());
    inputs
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../fuzz/corpus"].iter().collect()
}
