//! Relaying over `wss://`, and clients that misbehave there.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, ClientConnection, ConnectionTrafficSecrets, NamedGroup, SupportedProtocolVersion,
};
use serde_json::json;

use crate::authority::Authority;
use crate::client::{Client, Received, config};
use securecall_testkit::Server;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

fn start(authority: &Authority, flags: &[&str]) -> Server {
    let flags = flags.iter().map(ToString::to_string);
    crate::serve_with(authority.issue("server").flags().into_iter().chain(flags))
}

#[test]
fn the_documented_call_goes_through() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    for version in VERSIONS {
        let config = config(&authority, &[version]);
        let mut alice = Client::connect(server.address(), &config).register("alice");
        let mut bob = Client::connect(server.address(), &config).register("bob");

        alice.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "offer"}));
        let incoming = bob.expect("INCOMING_CALL");
        assert_eq!(incoming["callerId"], "alice");
        let call_id = &incoming["callId"];
        bob.send("CALL_ACCEPT", json!({"callId": call_id, "sdpAnswer": "answer"}));
        assert_eq!(alice.expect("CALL_ACCEPTED")["sdpAnswer"], "answer");
        alice.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "a"}));
        assert_eq!(bob.expect("ICE_CANDIDATE")["candidate"], "a");
        bob.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "b"}));
        assert_eq!(alice.expect("ICE_CANDIDATE")["candidate"], "b");
        alice.send("CALL_END", json!({"callId": call_id}));
        bob.expect("CALL_ENDED");
        for client in [&mut alice, &mut bob] {
            client.close();
            assert_eq!(client.receive(), Received::Close(None));
            assert_eq!(client.receive(), Received::End, "TLS should say goodbye too");
        }
    }
}

#[test]
fn what_is_newest_and_cheapest_is_agreed_on() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    let client = Client::connect(server.address(), &config(&authority, &VERSIONS));
    let suite = client.tls.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, CipherSuite::TLS13_AES_128_GCM_SHA256);
    let group = client.tls.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519MLKEM768);
}

#[test]
fn the_largest_offer_passes_in_many_records_cut_anywhere() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    let offer = "o".repeat(60_000);
    for version in VERSIONS {
        let config = config(&authority, &[version]);
        let mut bob = Client::connect(server.address(), &config).register("bob");
        for cut in [None, Some(1), Some(5), Some(1000), Some(16_384 + 22)] {
            // Byte by byte, a part of it is enough.
            let offer = if cut == Some(1) { &offer[..17_500] } else { &offer };
            let mut alice = Client::connect(server.address(), &config).register("alice");
            alice.cut = cut;
            alice.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": offer}));
            let incoming = bob.expect("INCOMING_CALL");
            assert!(incoming["sdpOffer"] == *offer, "{cut:?}");
            alice.send("CALL_END", json!({"callId": incoming["callId"]}));
            bob.expect("CALL_ENDED");
        }
    }
}

#[test]
fn a_slow_reader_is_given_up_and_what_it_has_not_read_is_bounded() {
    let authority = Authority::new();
    let fast = "1000000/1000000";
    let flags = ["calls", "candidates"].map(|class| format!("--{class}-rate={fast}"));
    let server = start(&authority, &[&flags[0], &flags[1], "--workers=1"]);
    for version in VERSIONS {
        let config = config(&authority, &[version]);
        // Different ids each time, because the server reports an old call's end to a client that
        // returns.
        let callee = format!("bob-{version:?}");
        let mut bob = Client::connect_narrow(server.address(), &config).register(&callee);
        let mut alice = Client::connect(server.address(), &config).register("alice");
        alice.send("CALL_INITIATE", json!({"targetId": callee, "sdpOffer": "offer"}));
        let call_id = bob.expect("INCOMING_CALL")["callId"].clone();
        let closed = server.metric("securecall_closes_total{code=\"1013\"}");
        let candidate = "c".repeat(60_000);
        let mut sent = 0;
        while server.metric("securecall_closes_total{code=\"1013\"}") == closed {
            // The kernel's buffers (4 MB for the sender), and 256 KB.
            assert!(sent < 200, "12 MB should be too much");
            alice.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": candidate}));
            sent += 1;
        }
        // All that was written before is complete and in order; then both closing messages follow.
        let mut received = 0;
        loop {
            match bob.receive() {
                Received::Message(message) => {
                    assert!(message["payload"]["candidate"] == candidate, "another, or in pieces");
                    received += 1;
                }
                Received::Close(code) => break assert_eq!(code, Some(1013)),
                other => panic!("{other:?} after {received} of {sent}"),
            }
        }
        assert!(received > 0 && received <= sent, "{received} of {sent}");
        bob.close();
        assert_eq!(bob.receive(), Received::End);
    }
}

#[test]
fn plain_http_is_answered_with_a_hint_to_tls() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.write_all(b"GET /signal HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{response}");
    assert!(response.ends_with("use https:// or wss://\n"), "{response}");
    server.wait_for_metric("securecall_tls_handshakes_total{outcome=\"failed\"}", 1);
}

#[test]
fn a_handshake_that_never_ends_frees_its_place() {
    let authority = Authority::new();
    let server = start(&authority, &["--request-timeout=1s"]);
    let began = Instant::now();
    // More than one address may have in progress at once.
    let sockets: Vec<_> = (0..128)
        .map(|nth| {
            let mut socket = TcpStream::connect(server.address()).unwrap();
            // Silent, or with the beginning of a ClientHello.
            socket.write_all(&b"\x16\x03\x01\x02\x00\x01"[..nth % 7]).unwrap();
            socket
        })
        .collect();
    for mut socket in sockets {
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(socket.read(&mut [0; 64]).unwrap_or(0), 0, "the server should hang up");
    }
    assert!(began.elapsed() > Duration::from_millis(900));
    let config = config(&authority, &VERSIONS);
    Client::connect(server.address(), &config).register("alice");
    let timed_out = server.metric("securecall_tls_handshakes_total{outcome=\"timed_out\"}");
    assert!(timed_out > 100, "{timed_out}");
}

#[test]
fn a_client_that_comes_back_resumes_its_session() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    for version in VERSIONS {
        let config = config(&authority, &[version]);
        let first = Client::connect(server.address(), &config).register("alice");
        assert!(!first.is_resumed());
        for _ in 0..3 {
            let again = Client::connect(server.address(), &config).register("alice");
            assert!(again.is_resumed(), "{version:?}");
        }
    }
    let handshakes =
        |how: &str| server.metric(&format!("securecall_tls_handshakes_total{{outcome=\"{how}\"}}"));
    assert_eq!((handshakes("full"), handshakes("resumed")), (2, 6));
}

#[test]
fn new_keys_in_the_middle_change_nothing() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    let config = config(&authority, &[&TLS13]);
    let mut alice = Client::connect(server.address(), &config).register("alice");
    for _ in 0..3 {
        alice.tls.refresh_traffic_keys().unwrap();
        alice.send("HEARTBEAT", json!({}));
        alice.expect("HEARTBEAT_ACK");
    }
}

/// rustls reserves space in the caller's buffer for such a message: a write with another buffer
/// would panic.
#[test]
fn half_a_handshake_message_does_not_block_mail() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    let mut config = Arc::unwrap_or_clone(config(&authority, &[&TLS13]));
    config.enable_secret_extraction = true;
    let config = Arc::new(config);
    let mut alice = Client::connect(server.address(), &config).register("alice");
    let bob = Client::connect(server.address(), &config).register("bob");

    let mut socket = bob.socket;
    let mut keys = RecordKeys::of(bob.tls);
    let key_update = [24, 0, 0, 1, 0];
    socket.write_all(&keys.handshake_record(&key_update[..2])).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    alice.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "offer"}));
    assert!(socket.read(&mut [0; 4096]).unwrap() > 50, "bob should be called");

    socket.write_all(&keys.handshake_record(&key_update[2..])).unwrap();
    alice.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "offer"}));
    assert!(socket.read(&mut [0; 4096]).unwrap() > 50, "and again");
    assert_eq!(server.metric("securecall_connections"), 2);
}

/// The keys of a client, to write records that no library would (RFC 8446 section 5.2).
struct RecordKeys {
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
}

impl RecordKeys {
    fn of(tls: ClientConnection) -> Self {
        let (sequence, secrets) = tls.dangerous_extract_secrets().unwrap().tx;
        let ConnectionTrafficSecrets::Aes128Gcm { key, iv } = secrets else {
            panic!("another suite was agreed on")
        };
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key.as_ref()).unwrap());
        Self { key, iv: iv.as_ref().try_into().unwrap(), sequence }
    }

    fn handshake_record(&mut self, fragment: &[u8]) -> Vec<u8> {
        let mut inner = [fragment, &[22]].concat();
        let header = [23, 3, 3, 0, (inner.len() + 16) as u8];
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        self.sequence += 1;
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(header), &mut inner).unwrap();
        [&header[..], &inner].concat()
    }
}

#[test]
fn a_forged_record_ends_the_connection_with_an_alert() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    for version in VERSIONS {
        let config = config(&authority, &[version]);
        let mut alice = Client::connect(server.address(), &config).register("alice");
        alice.socket.write_all(b"\x17\x03\x03\x00\x20aaaaaaaabbbbbbbbccccccccdddddddd").unwrap();
        let error = alice.read(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("BadRecordMac"), "{error}");
        server.wait_for_metric("securecall_connections", 0);
    }
}

#[test]
fn a_client_that_hangs_up_without_a_word_is_gone() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    let config = config(&authority, &VERSIONS);
    let mut alice = Client::connect(server.address(), &config).register("alice");
    server.wait_for_metric("securecall_connections", 1);
    alice.tls.send_close_notify();
    alice.flush();
    server.wait_for_metric("securecall_connections", 0);
    drop(Client::connect(server.address(), &config).register("alice"));
    server.wait_for_metric("securecall_connections", 0);
}
