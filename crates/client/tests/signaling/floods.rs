//! Calls that come through while somebody, or the server itself, floods nonsense.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use securecall_client::{Event, Wire};
use serde_json::{Value, json};

use crate::middle::{Middle, Way};
use crate::phone::{Phone, id};
use securecall_testkit::Server;

/// Time for a call beside a flood.
const SOON: Duration = Duration::from_secs(5);

/// Alice calls bob, and he answers.
async fn call_comes_about(alice: &mut Phone, bob: &mut Phone) -> Duration {
    let began = Instant::now();
    alice.client.call(&id("bob"), "honest offer").await.unwrap();
    let call = bob.hears("the honest call", |event| match event {
        Event::Incoming { call, offer, .. } if offer == "honest offer" => Some(*call),
        _ => None,
    });
    let call = call.await;
    bob.client.accept(call, "answer").await.unwrap();
    alice.is_answered().await;
    began.elapsed()
}

#[tokio::test]
async fn an_ordinary_client_that_rings_garbage_holds_up_no_honest_call() {
    let server = Server::start(&[]);
    let mut bob = Phone::on(&server.url(), "bob").await;
    let mut alice = Phone::on(&server.url(), "alice").await;
    let mut mallory = Wire::open(&server.url(), None).await.unwrap().unwrap();
    let register = json!({"type": "REGISTER", "payload": {"clientId": "mallory"}});
    mallory.send(&register.to_string()).await.unwrap();
    let ring = json!({"type": "CALL_INITIATE", "payload": {"targetId": "bob", "sdpOffer": "x"}});
    for _ in 0..20 {
        mallory.send(&ring.to_string()).await.unwrap();
    }
    let ringing = tokio::spawn(async move {
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let _ = mallory.send(&ring.to_string()).await;
        }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let took = call_comes_about(&mut alice, &mut bob).await;
    ringing.abort();
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn a_server_that_flooded_nonsense_delivers_calls_once_it_is_honest() {
    let server = Server::start(&[]);
    let lies = Arc::new(AtomicBool::new(true));
    let lying = Arc::clone(&lies);
    let mut number = 0;
    let middle = Middle::before(server.address(), move |way, message| {
        let mut passed = vec![message];
        if way == Way::ToClient && lying.load(Ordering::Relaxed) {
            passed.extend((0..500).map(|_| {
                number += 1;
                nonsense(number)
            }));
        }
        passed
    })
    .await;
    let mut bob = Phone::on(&middle.url(), "bob").await;
    let mut alice = Phone::on(&server.url(), "alice").await;
    let asking = bob.client.clone();
    tokio::spawn(async move { while asking.turn_credentials().await.is_ok() {} });
    // Each answer brings five hundred calls along.
    let mut refused = 0;
    while refused < 4_000 {
        bob.hears("nonsense", |event| matches!(event, Event::OfferRefused { .. }).then_some(()))
            .await;
        refused += 1;
    }
    lies.store(false, Ordering::Relaxed);
    let took = call_comes_about(&mut alice, &mut bob).await;
    assert!(took < SOON, "{took:?}");
}

/// Without a number, so that the honest ones stay right.
fn nonsense(number: usize) -> Value {
    let (call_id, caller_id) = (format!("nonsense{number}"), format!("caller{number}"));
    let payload = json!({"callId": call_id, "callerId": caller_id, "sdpOffer": "nonsense"});
    json!({"type": "INCOMING_CALL", "payload": payload})
}
