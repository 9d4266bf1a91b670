//! The directory of public keys.

use serde_json::json;

use crate::client::Client;
use crate::rig::Server;

#[test]
fn a_key_is_found_by_others_and_stays() {
    let server = Server::start([]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    bob.send("PKD_LOOKUP", json!({"clientId": "alice"}));
    assert_eq!(bob.expect("PKD_RESULT"), json!({"clientId": "alice", "publicKey": null}));
    alice.send("PKD_REGISTER", json!({"clientId": "alice", "publicKey": "key"}));
    let found = json!({"clientId": "alice", "publicKey": "key"});
    assert_eq!(alice.expect("PKD_RESULT"), found);
    bob.send("PKD_LOOKUP", json!({"clientId": "alice"}));
    assert_eq!(bob.expect("PKD_RESULT"), found);
    bob.send("PKD_REGISTER", json!({"clientId": "alice", "publicKey": "forged"}));
    assert_eq!(bob.expect_error(), "UNAUTHORIZED");
    // Another device under her id.
    let mut other = Client::register(&server, "alice");
    other.send("PKD_REGISTER", json!({"clientId": "alice", "publicKey": "other"}));
    assert_eq!(other.expect_error(), "KEY_PINNED");
}
