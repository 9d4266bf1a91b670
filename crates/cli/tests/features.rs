//! The crates that each feature adds to the build of a server.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;
use std::process::Command;

/// Crates of the feature `terminal`, which no other build contains.
const OF_THE_TERMINAL: [&str; 5] =
    ["securecall-peer", "str0m", "sctp-proto", "turn-client-proto", "indicatif"];
const OF_JEMALLOC: [&str; 2] = ["tikv-jemallocator", "tikv-jemalloc-sys"];
const OF_LOAD: [&str; 3] = ["securecall-load", "hdrhistogram", "indicatif"];
/// Crates that no build may contain: for tests, or replaced by another cryptography library.
const OF_NO_BUILD: [&str; 7] =
    ["proptest", "ring", "openssl-sys", "native-tls", "reqwest", "regex", "h2"];

/// The bound of the number of crates that a server is built from.
const CRATES_MAX: usize = 215;

/// Returns the names of all crates that are compiled with these flags.
fn crates_of(flags: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "securecall-cli"])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .args(flags)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[track_caller]
fn assert_all(crates: &BTreeSet<String>, names: &[&str], present: bool) {
    for name in names {
        assert_eq!(crates.contains(*name), present, "{name}");
    }
}

#[test]
fn a_server_is_started_without_a_webrtc_stack_and_a_load_generator() {
    let crates = crates_of(&[]);
    assert_all(&crates, &OF_THE_TERMINAL, false);
    assert_all(&crates, &OF_LOAD, false);
    assert_all(&crates, &OF_JEMALLOC, false);
    assert_all(&crates, &OF_NO_BUILD, false);
    assert_all(&crates, &["securecall-server", "redb"], true);
    assert!(crates.len() <= CRATES_MAX, "{} crates: is the new one worth it?", crates.len());
}

#[test]
fn each_feature_brings_what_is_its_own() {
    let terminal = crates_of(&["--features", "terminal"]);
    assert_all(&terminal, &OF_THE_TERMINAL, true);
    assert!(!terminal.contains("securecall-load"));
    let load = crates_of(&["--features", "load"]);
    assert_all(&load, &OF_LOAD, true);
    assert!(!load.contains("securecall-peer"));
    assert_all(&crates_of(&["--features", "jemalloc"]), &OF_JEMALLOC, true);
}
