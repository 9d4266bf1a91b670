//! Credentials for a TURN server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::client::Client;
use crate::rig::Server;

#[test]
fn credentials_name_a_relay_and_expire() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "a secret that the TURN server knows, too").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let server = Server::start([
        "--turn-urls=turn:turn.example.org:3478".to_owned(),
        format!("--turn-secret-file={}", secret.display()),
        "--turn-ttl=1h".to_owned(),
    ]);
    let mut alice = Client::register(&server, "alice");
    alice.send("TURN_CREDENTIALS", json!({}));
    let credentials = alice.expect("TURN_CREDENTIALS");
    assert_eq!(credentials["ttlSeconds"], 3_600);
    let relay = &credentials["iceServers"][0];
    assert_eq!(relay["urls"], json!(["turn:turn.example.org:3478"]));
    let (expiry, name) = relay["username"].as_str().unwrap().split_once(':').unwrap();
    assert!(expiry.parse::<u64>().is_ok() && !name.contains("alice"), "{expiry}:{name}");
    assert!(!relay["credential"].as_str().unwrap().is_empty());
}

#[test]
fn without_a_turn_server_there_are_no_credentials() {
    let server = Server::start([]);
    let mut alice = Client::register(&server, "alice");
    alice.send("TURN_CREDENTIALS", json!({}));
    assert_eq!(alice.expect("TURN_CREDENTIALS"), json!({"iceServers": [], "ttlSeconds": 0}));
}
