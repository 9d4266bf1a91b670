//! Servers that refuse, fall silent, or speak dialect 1 alone.

use std::time::{Duration, Instant};

use securecall_client::{
    ConnectError, Dialect, Disconnect, Ending, Error, ErrorCode, Event, Settings, Stop,
};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::calls::ending;
use crate::fake::{Fake, dialect_one};
use crate::phone::{PATIENCE, Phone, id, identity};
use securecall_testkit::Server;

#[tokio::test]
async fn a_server_of_dialect_one_carries_a_sealed_call() {
    let (url, mut seen) = dialect_one().await;
    let mut bob = Phone::connecting(&url, identity("bob"));
    // The fake server takes whom it hears first for bob.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut alice = Phone::connecting(&url, identity("alice"));
    bob.client.registered().await.unwrap();
    let dialect = alice.hears("registration", |event| match event {
        Event::Registered { dialect, .. } => Some(*dialect),
        _ => None,
    });
    assert_eq!(dialect.await, Dialect::One);
    let call = alice.client.call(&id("bob"), "offer").await.unwrap();
    let second = alice.client.call(&id("bob"), "offer").await;
    assert!(matches!(second, Err(Error::OneCallAtATime)));
    let (bobs, _) = bob.is_called().await;
    bob.client.accept(bobs, "answer").await.unwrap();
    assert_eq!(alice.is_answered().await, "answer");
    alice.client.candidate(call, "candidate of alice").await.unwrap();
    assert_eq!(bob.hears_candidate().await, "candidate of alice");
    assert!(matches!(alice.client.signal(call, "mute").await, Err(Error::WrongMoment)));
    alice.client.end(call).await.unwrap();
    assert_eq!(ending(&mut bob).await, Ending::Unexplained);
    // Nothing that such a server does not know.
    while let Ok(message) = seen.try_recv() {
        let message_type = message["type"].as_str().unwrap();
        assert!(!["ACK", "HEARTBEAT", "CALL_RINGING"].contains(&message_type), "{message_type}");
    }
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let fake = Fake::new().await;
    let mut alice = Phone::connecting(&fake.url(), identity("alice"));
    let began = Instant::now();
    let refused = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n";
    fake.refuse(refused).await;
    let retry_in = alice.hears("the refusal", |event| match event {
        Event::Disconnected { cause: Disconnect::Http(429), retry_in } => Some(*retry_in),
        _ => None,
    });
    assert!(retry_in.await >= Duration::from_secs(2));
    fake.accept().await;
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn a_client_over_the_limit_of_connections_comes_in_when_there_is_room() {
    let server = Server::start(&["--connections-per-address-max=1"]);
    let alice = Phone::on(&server.url(), "alice").await;
    let mut bob = Phone::connecting(&server.url(), identity("bob"));
    bob.hears("the refusal", |event| {
        matches!(event, Event::Disconnected { cause: Disconnect::Http(429), .. }).then_some(())
    })
    .await;
    alice.client.close().await;
    tokio::time::timeout(PATIENCE, bob.client.registered()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_ping_is_sent_every_eight_seconds() {
    let fake = Fake::new().await;
    let _alice = Phone::connecting(&fake.url(), identity("alice"));
    let mut line = fake.accept().await;
    line.registers().await;
    let began = Instant::now();
    loop {
        if let Message::Ping(_) = line.hears_frame().await {
            break;
        }
    }
    let waited = began.elapsed();
    assert!((7..10).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test]
async fn an_application_that_takes_no_events_loses_none_and_can_ask_all_the_same() {
    const RINGS: u64 = 3000;
    let fake = Fake::new().await;
    let mut alice = Phone::connecting(&fake.url(), identity("alice"));
    let bobs_key = identity("bob").directory_key().as_str().to_owned();
    let server = tokio::spawn(async move {
        let mut line = fake.accept().await;
        let register = line.hears().await;
        let payload = json!({"clientId": "alice", "protocol": 2, "resumeToken": "token"});
        let reply_to = &register["id"];
        line.says(json!({"type": "REGISTERED", "payload": payload, "replyTo": reply_to})).await;
        let mut seq = 0;
        loop {
            let message = line.hears().await;
            let (message_type, payload) = match message["type"].as_str().unwrap() {
                "PKD_REGISTER" => ("PKD_RESULT", json!({"clientId": "alice", "publicKey": "k"})),
                "PKD_LOOKUP" => ("PKD_RESULT", json!({"clientId": "bob", "publicKey": bobs_key})),
                _ => ("CALL_INITIATED", json!({"callId": "c1", "targetId": "bob"})),
            };
            seq += 1;
            let reply_to = &message["id"];
            let answer =
                json!({"type": message_type, "payload": payload, "replyTo": reply_to, "seq": seq});
            line.says(answer).await;
            if message_type == "CALL_INITIATED" {
                break;
            }
        }
        for _ in 0..RINGS {
            seq += 1;
            let payload = json!({"callId": "c1"});
            line.says(json!({"type": "CALL_RINGING", "payload": payload, "seq": seq})).await;
        }
        line
    });
    let call = alice.client.call(&id("bob"), "offer").await.unwrap();
    // By now there is no room for events.
    tokio::time::sleep(Duration::from_millis(500)).await;
    alice.client.candidate(call, "candidate").await.unwrap();
    for _ in 0..RINGS {
        alice.hears("ringing", |event| matches!(event, Event::Ringing { .. }).then_some(())).await;
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let fake = Fake::new().await;
    let mut alice = Phone::connecting(&fake.url(), identity("alice"));
    let moved = "HTTP/1.1 301 Moved Permanently\r\nLocation: https://example.org/signal\r\n\
                 Content-Length: 0\r\n\r\n";
    fake.refuse(moved).await;
    let cause = alice.hears("the redirect", |event| match event {
        Event::Disconnected { cause, .. } => Some(cause.to_string()),
        _ => None,
    });
    let cause = cause.await;
    assert!(cause.contains("redirects to wss://example.org/signal"), "{cause}");
}

#[tokio::test]
async fn a_server_that_answers_with_a_tls_alert_is_known_to_speak_tls() {
    let fake = Fake::new().await;
    let mut alice = Phone::connecting(&fake.url(), identity("alice"));
    // Fatal, decode_error: the answer of a rustls server to plain HTTP.
    fake.refuse("\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{32}").await;
    let cause = alice.hears("the alert", |event| match event {
        Event::Disconnected { cause, .. } => Some(cause.clone()),
        _ => None,
    });
    assert_eq!(cause.await, Disconnect::TlsPort);
}

#[tokio::test]
async fn a_1000_that_nobody_asked_for_is_a_loss_and_a_4003_is_final() {
    let fake = Fake::new().await;
    let mut alice = Phone::connecting(&fake.url(), identity("alice"));
    let mut line = fake.accept().await;
    line.registers().await;
    line.closes(1000).await;
    let cause = alice.hears("the loss", |event| match event {
        Event::Disconnected { cause, .. } => Some(cause.clone()),
        Event::Stopped(stop) => panic!("{stop}"),
        _ => None,
    });
    assert_eq!(cause.await, Disconnect::Closed(1000));
    let mut line = fake.accept().await;
    line.registers().await;
    line.closes(4003).await;
    let stop = alice.hears("the stop", |event| match event {
        Event::Stopped(stop) => Some(*stop),
        _ => None,
    });
    assert_eq!(stop.await, Stop::Closed(4003));
}

#[tokio::test]
async fn a_refused_registration_is_final() {
    let fake = Fake::new().await;
    let mut alice = Phone::connecting(&fake.url(), identity("alice"));
    let mut line = fake.accept().await;
    line.hears().await;
    let payload = json!({"code": "UNAUTHORIZED", "message": "no"});
    line.says(json!({"type": "ERROR", "payload": payload})).await;
    let stop = alice.hears("the stop", |event| match event {
        Event::Stopped(stop) => Some(*stop),
        _ => None,
    });
    assert_eq!(stop.await, Stop::Refused(ErrorCode::Unauthorized));
    let error = alice.client.call(&id("bob"), "offer").await.unwrap_err();
    assert!(matches!(error, Error::Stopped(_)), "{error}");
}

#[tokio::test]
async fn somebody_elses_key_under_the_own_id_is_told() {
    let server = Server::start(&[]);
    let before = Phone::on(&server.url(), "alice").await;
    before.client.close().await;
    let mut alice = Phone::connecting(&server.url(), identity("alice"));
    let refused = alice.client.registered().await;
    assert!(matches!(refused, Err(Error::Refused { code: ErrorCode::KeyPinned, .. })));
    alice
        .hears("the refusal", |event| matches!(event, Event::KeyRefused { .. }).then_some(()))
        .await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once() {
    for url in ["", "http://127.0.0.1/", "ws://", "127.0.0.1"] {
        let client = securecall_client::Client::connect(Settings::new(url, identity("alice")));
        assert!(matches!(client, Err(ConnectError::Address)), "{url}");
    }
}
