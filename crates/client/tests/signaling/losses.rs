//! Connections that break and servers that are killed.

use securecall_client::{Event, Stop};

use crate::phone::{Pair, Phone, id, identity};
use crate::proxy::Proxy;
use securecall_testkit::Server;

#[tokio::test]
async fn a_server_killed_between_offer_and_answer_loses_no_call() {
    let mut server = Server::start(&[]);
    let mut bob = Phone::on(&server.url(), "bob").await;
    let mut alice = Phone::on(&server.url(), "alice").await;
    let alices = alice.client.call(&id("bob"), "v=0 offer").await.unwrap();
    let (bobs, _) = bob.is_called().await;
    alice.hears("ringing", |event| matches!(event, Event::Ringing { .. }).then_some(())).await;

    server.kill_and_restart();
    bob.client.accept(bobs, "v=0 answer").await.unwrap();
    bob.client.candidate(bobs, "candidate of bob").await.unwrap();
    assert_eq!(alice.is_answered().await, "v=0 answer");
    assert_eq!(alice.hears_candidate().await, "candidate of bob");
    Pair { alice, bob, alices, bobs }.talk("after the restart").await;
}

#[tokio::test]
async fn a_call_begun_while_there_is_no_server_rings_when_there_is() {
    let mut server = Server::start(&[]);
    let mut bob = Phone::on(&server.url(), "bob").await;
    let mut alice = Phone::on(&server.url(), "alice").await;
    server.kill_and_restart();
    bob.is_registered().await;
    // Alice may be on her way still.
    alice.client.call(&id("bob"), "v=0 offer").await.unwrap();
    let (bobs, _) = bob.is_called().await;
    bob.client.accept(bobs, "v=0 answer").await.unwrap();
    assert_eq!(alice.is_answered().await, "v=0 answer");
}

#[tokio::test]
async fn a_running_call_survives_a_killed_server_with_everything_that_was_under_way() {
    let mut server = Server::start(&[]);
    let mut pair = Pair::calling(&server.url(), &server.url()).await;
    for number in 0..50 {
        pair.alice.client.candidate(pair.alices, number.to_string()).await.unwrap();
    }
    server.kill_and_restart();
    for number in 0..50 {
        assert_eq!(pair.bob.hears_candidate().await, number.to_string());
    }
    pair.talk("after the restart").await;
}

#[tokio::test]
async fn a_connection_cut_in_mid_call_loses_nothing_and_repeats_nothing() {
    let server = Server::start(&[]);
    let (proxy_alice, proxy_bob) =
        (Proxy::to(server.address()).await, Proxy::to(server.address()).await);
    let mut pair = Pair::calling(&proxy_alice.url(), &proxy_bob.url()).await;
    for number in 0..60 {
        pair.alice.client.candidate(pair.alices, number.to_string()).await.unwrap();
        pair.bob.client.candidate(pair.bobs, number.to_string()).await.unwrap();
        match number {
            10 | 40 => proxy_alice.cut(),
            25 | 41 => proxy_bob.cut(),
            _ => {}
        }
    }
    for number in 0..60 {
        assert_eq!(pair.bob.hears_candidate().await, number.to_string());
        assert_eq!(pair.alice.hears_candidate().await, number.to_string());
    }
    pair.talk("after the cuts").await;
}

#[tokio::test]
async fn a_cut_connection_is_resumed() {
    let server = Server::start(&[]);
    let proxy = Proxy::to(server.address()).await;
    let mut pair = Pair::calling(&proxy.url(), &server.url()).await;
    proxy.cut();
    pair.bob.client.candidate(pair.bobs, "while alice is away").await.unwrap();
    assert!(pair.alice.is_registered().await, "it should be resumed");
    assert_eq!(pair.alice.hears_candidate().await, "while alice is away");
}

#[tokio::test]
async fn a_change_of_network_resumes_at_once() {
    let server = Server::start(&[]);
    let mut pair = Pair::calling(&server.url(), &server.url()).await;
    let began = std::time::Instant::now();
    pair.alice.client.network_changed().await;
    assert!(pair.alice.is_registered().await);
    assert!(began.elapsed().as_millis() < 900, "without waiting");
    pair.talk("in the other network").await;
}

#[tokio::test]
async fn a_client_whose_id_is_registered_elsewhere_stops_for_good() {
    let server = Server::start(&[]);
    let alice = identity("alice");
    let mut old = Phone::connecting(&server.url(), alice.clone());
    old.client.registered().await.unwrap();
    let new = Phone::connecting(&server.url(), alice);
    new.client.registered().await.unwrap();
    let stop = old.hears("the stop", |event| match event {
        Event::Stopped(stop) => Some(*stop),
        Event::Disconnected { .. } => panic!("it should not come back"),
        _ => None,
    });
    assert_eq!(stop.await, Stop::Superseded);
    assert!(old.events.next().await.is_none());
}
