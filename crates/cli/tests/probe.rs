//! `securecall probe` against a real server, and against other programs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail where it stands")]

#[path = "conversation/coturn.rs"]
mod coturn;
#[path = "conversation/server.rs"]
mod server;

use std::process::{Command, Output};

use coturn::Coturn;
use securecall_testkit::Server;

fn probe(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_securecall"));
    command.arg("probe").args(arguments).env_clear().output().unwrap()
}

#[track_caller]
fn assert_probed(arguments: &[&str], code: i32, says: &str) {
    let output = probe(arguments);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(says), "{says:?} is not in {text}");
    assert!(!text.contains("probe-"), "a client id is in {text}");
}

#[test]
fn a_server_that_runs_carries_a_call() {
    let server = server::start();
    assert_probed(&[&server.url()], 0, "steps succeeded");
    assert_probed(&[&server.url()], 0, "ok       health");
    assert_probed(&[&server.url(), "--json"], 0, "\"ok\":true");
}

#[test]
fn a_wrong_path_is_recognised() {
    let server = server::start();
    assert_probed(&[&server.url().replace("/signal", "/elsewhere")], 1, "is the path right?");
}

#[test]
fn a_server_that_is_not_there_is_recognised() {
    assert_probed(&["ws://127.0.0.1:9/signal"], 1, "is it running");
}

#[test]
fn an_address_of_another_kind_is_a_wrong_command_line() {
    assert_probed(&["https://127.0.0.1/"], 2, "not a ws:// or wss:// URL");
}

#[test]
fn a_certificate_of_ones_own_is_trusted_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(file("certificate"), certified.cert.pem()).unwrap();
    std::fs::write(file("key"), certified.signing_key.serialize_pem()).unwrap();
    let flags = ["certificate", "key"].map(|name| format!("--tls-{name}={}", file(name)));
    let flags = flags.each_ref().map(String::as_str);
    let server = server::start_with(&flags, None);
    let url = server.url().replace("ws:", "wss:");
    assert_probed(&[&url], 1, "does not trust the certificate");
    let mut command = Command::new(env!("CARGO_BIN_EXE_securecall"));
    command.args(["probe", &url]).env_clear().env("SSL_CERT_FILE", file("certificate"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Starts a server that is configured with this TURN server and secret.
fn server_with(coturn: &Coturn, secret: &'static str) -> Server {
    server::start_with(&[&format!("--turn-urls={}", coturn.url("udp"))], Some(secret))
}

#[test]
#[ignore = "needs coturn installed (turnserver)"]
fn a_relay_has_to_relay() {
    let coturn = Coturn::start("north");
    let server = server_with(&coturn, "north");
    assert_probed(&[&server.url(), "--timeout=30s"], 0, "ok       relay turn:127.0.0.1");
}

#[test]
#[ignore = "needs coturn installed (turnserver)"]
fn a_relay_with_another_secret_is_recognised() {
    let coturn = Coturn::start("north");
    let server = server_with(&coturn, "south");
    assert_probed(&[&server.url(), "--timeout=30s"], 1, "FAILED   relay turn:127.0.0.1");
}
