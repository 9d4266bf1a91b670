//! Every file of the corpus holds, and every fuzz target has a corpus and a file that hands it to libFuzzer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is all tests")]

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use securecall_fuzz_targets::{identity_parse, message_decode, seal_open, websocket_decode};

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 4] = [
    ("identity_parse", identity_parse),
    ("message_decode", |input| {
        // As libFuzzer does it for a target that takes text.
        if let Ok(text) = std::str::from_utf8(input) {
            message_decode(text);
        }
    }),
    ("seal_open", seal_open),
    ("websocket_decode", websocket_decode),
];

#[test]
fn every_file_of_the_corpus_holds() {
    for (name, target) in TARGETS {
        let files = files(&fuzz().join("corpus").join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let input = fs::read(&file).unwrap();
            let held = panic::catch_unwind(|| target(&input));
            assert!(held.is_ok(), "{} does not hold", file.display());
        }
    }
}

#[test]
fn every_target_is_replayed() {
    let mut found: Vec<_> =
        files(&fuzz().join("fuzz_targets")).iter().map(|file| stem(file)).collect();
    found.sort();
    assert_eq!(found, TARGETS.map(|(name, _)| name));
    let mut corpora: Vec<_> = files(&fuzz().join("corpus")).iter().map(|file| stem(file)).collect();
    corpora.sort();
    assert_eq!(corpora, found);
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap().to_str().unwrap().to_owned()
}
