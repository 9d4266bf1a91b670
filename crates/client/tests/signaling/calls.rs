//! Whole calls against a real server.

use std::time::Duration;

use securecall_client::{
    Client, ConnectError, EndReason, Ending, Error, Event, KnownKeys, LookedUp, RejectReason,
    Settings,
};

use crate::phone::{Pair, Phone, id, identity};
use securecall_testkit::Server;

#[tokio::test]
async fn a_sealed_call_with_candidates_and_signals_both_ways() {
    let server = Server::start(&[]);
    let mut bob = Phone::on(&server.url(), "bob").await;
    let mut alice = Phone::on(&server.url(), "alice").await;
    let call = alice.client.call(&id("bob"), "v=0 offer").await.unwrap();
    // Before there are keys they wait in the client.
    alice.client.candidate(call, "candidate of alice").await.unwrap();
    let (bobs, offer) = bob.is_called().await;
    assert_eq!(offer, "v=0 offer");
    bob.client.candidate(bobs, "candidate of bob").await.unwrap();
    alice.hears("ringing", |event| matches!(event, Event::Ringing { .. }).then_some(())).await;
    bob.client.accept(bobs, "v=0 answer").await.unwrap();

    let digits = alice
        .hears("the answer", |event| match event {
            Event::Accepted { answer, digits, first_contact: true, .. } => {
                assert_eq!(answer, "v=0 answer");
                *digits
            }
            _ => None,
        })
        .await;
    let bobs_digits = bob
        .hears("digits", |event| match event {
            Event::Digits { digits, .. } => Some(*digits),
            _ => None,
        })
        .await;
    assert_eq!(digits, bobs_digits);
    assert_eq!(bob.hears_candidate().await, "candidate of alice");
    assert_eq!(alice.hears_candidate().await, "candidate of bob");

    let mut pair = Pair { alice, bob, alices: call, bobs };
    pair.talk("ice restart").await;
    pair.alice.client.end(call).await.unwrap();
    assert_eq!(ending(&mut pair.bob).await, Ending::Ended(EndReason::Hangup));
    assert!(matches!(pair.alice.client.end(call).await, Err(Error::NoSuchCall)));
}

#[tokio::test]
async fn a_callee_declines_and_a_caller_cancels() {
    let server = Server::start(&[]);
    let mut bob = Phone::on(&server.url(), "bob").await;
    let mut alice = Phone::on(&server.url(), "alice").await;
    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (call, _) = bob.is_called().await;
    bob.client.reject(call, RejectReason::Busy).await.unwrap();
    assert_eq!(ending(&mut alice).await, Ending::Rejected(RejectReason::Busy));

    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (call, _) = bob.is_called().await;
    let clock = RejectReason::Clock { ahead_seconds: -420 };
    bob.client.reject(call, clock).await.unwrap();
    assert_eq!(ending(&mut alice).await, Ending::Rejected(clock));

    let call = alice.client.call(&id("bob"), "offer").await.unwrap();
    bob.is_called().await;
    alice.client.end(call).await.unwrap();
    assert_eq!(ending(&mut bob).await, Ending::Ended(EndReason::Cancelled));
}

#[tokio::test]
async fn a_call_that_is_cancelled_before_it_has_a_name_does_not_ring_on() {
    let server = Server::start(&[]);
    let mut bob = Phone::on(&server.url(), "bob").await;
    let alice = Phone::on(&server.url(), "alice").await;
    let call = alice.client.call(&id("bob"), "offer").await.unwrap();
    alice.client.end(call).await.unwrap();
    // Bob may not have heard of it at all: the end can be there before the caller's key.
    alice.client.call(&id("bob"), "second offer").await.unwrap();
    bob.hears("the second call alone", |event| match event {
        Event::Incoming { offer, .. } => (offer == "second offer").then_some(()),
        Event::Ended { reason, .. } => {
            assert_eq!(*reason, Ending::Ended(EndReason::Cancelled));
            None
        }
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn somebody_without_a_key_or_a_connection_is_not_called() {
    let server = Server::start(&[]);
    let mut alice = Phone::on(&server.url(), "alice").await;
    let nobody = alice.client.call(&id("nobody"), "offer").await;
    assert!(matches!(nobody, Err(Error::NoKey)));
    let bob = Phone::on(&server.url(), "bob").await;
    bob.client.close().await;
    alice.client.call(&id("bob"), "offer").await.unwrap();
    assert_eq!(ending(&mut alice).await, Ending::NotConnected);
}

#[tokio::test]
async fn a_client_that_is_dropped_ends_its_calls() {
    let server = Server::start(&[]);
    let Pair { alice, mut bob, .. } = Pair::calling(&server.url(), &server.url()).await;
    drop(alice.client);
    assert_eq!(ending(&mut bob).await, Ending::Ended(EndReason::Hangup));
}

#[tokio::test]
async fn a_gather_of_a_hundred_candidates_at_once_arrives_whole_and_in_order() {
    let server = Server::start(&[]);
    let mut pair = Pair::calling(&server.url(), &server.url()).await;
    for number in 0..100 {
        pair.alice.client.candidate(pair.alices, format!("candidate {number}")).await.unwrap();
    }
    for number in 0..100 {
        assert_eq!(pair.bob.hears_candidate().await, format!("candidate {number}"));
    }
}

#[tokio::test]
async fn what_a_strict_server_refuses_is_sent_again_in_its_pace() {
    let server = Server::start(&["--candidates-rate=5/20"]);
    let mut pair = Pair::calling(&server.url(), &server.url()).await;
    for number in 0..40 {
        pair.alice.client.candidate(pair.alices, format!("candidate {number}")).await.unwrap();
    }
    let mut arrived = Vec::new();
    for _ in 0..40 {
        let event = pair.bob.hears("a candidate", |event| match event {
            Event::Candidate { candidate, .. } => Some(candidate.clone()),
            _ => None,
        });
        arrived.push(event.await);
    }
    arrived.sort();
    arrived.dedup();
    assert_eq!(arrived.len(), 40);
}

#[tokio::test]
async fn a_known_key_is_kept_in_its_file_and_another_one_is_not_taken_silently() {
    let server = Server::start(&["--directory-replace=registered"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys").join("known");
    let mut bob = Phone::on(&server.url(), "bob").await;
    let known = KnownKeys::open(&path, &server.url()).unwrap();
    let mut alice = Phone::knowing(&server.url(), identity("alice"), known);
    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (call, _) = bob.is_called().await;
    bob.client.accept(call, "answer").await.unwrap();
    alice.is_answered().await;
    alice.client.close().await;
    bob.client.close().await;

    // Bob has lost his seed.
    let mut bob = Phone::on(&server.url(), "bob").await;
    let known = KnownKeys::open(&path, &server.url()).unwrap();
    assert!(known.fingerprint(&id("bob")).is_some());
    let mut alice = Phone::knowing(&server.url(), identity("alice"), known);
    let Err(Error::KeyChanged(change)) = alice.client.call(&id("bob"), "offer").await else {
        panic!("the change should show");
    };
    assert!(matches!(alice.client.lookup(&id("bob")).await, Ok(LookedUp::Changed { .. })));
    alice.client.trust(&change.present).await.unwrap();
    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (call, _) = bob.is_called().await;
    bob.client.accept(call, "answer").await.unwrap();
    alice.is_answered().await;
}

#[tokio::test]
async fn a_key_that_another_program_has_remembered_counts_for_a_client_that_runs() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known");
    let known = KnownKeys::open(&path, &server.url()).unwrap();
    let alice = Phone::knowing(&server.url(), identity("alice"), known);
    let _bob = Phone::on(&server.url(), "bob").await;
    alice.client.registered().await.unwrap();

    let mut elsewhere = KnownKeys::open(&path, &server.url()).unwrap();
    assert!(elsewhere.remember(identity("bob").directory_key()).unwrap());
    elsewhere.save().unwrap();
    let called = alice.client.call(&id("bob"), "offer").await;
    assert!(matches!(called, Err(Error::KeyChanged(_))), "{called:?}");
}

#[tokio::test]
async fn known_keys_of_another_server_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let known = KnownKeys::open(folder.path().join("known"), "wss://example.org/").unwrap();
    let settings = Settings::new("wss://example.net/", identity("alice")).known_keys(known);
    assert!(matches!(Client::connect(settings), Err(ConnectError::OtherServer)));
}

#[tokio::test]
async fn a_caller_whose_key_changed_rings_once_it_is_trusted() {
    let server = Server::start(&["--directory-replace=registered"]);
    let mut bob = Phone::on(&server.url(), "bob").await;
    let alice = Phone::on(&server.url(), "alice").await;
    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (call, _) = bob.is_called().await;
    bob.client.accept(call, "answer").await.unwrap();
    alice.client.close().await;

    let alice = Phone::on(&server.url(), "alice").await;
    alice.client.call(&id("bob"), "second offer").await.unwrap();
    let present = bob
        .hears("the change", |event| match event {
            Event::KeyChanged { change, .. } => Some(change.present.clone()),
            Event::Incoming { .. } => panic!("it should not ring"),
            _ => None,
        })
        .await;
    bob.client.trust(&present).await.unwrap();
    assert_eq!(bob.is_called().await.1, "second offer");
}

#[tokio::test]
async fn relays_are_told() {
    let server = Server::start(&[]);
    let alice = Phone::on(&server.url(), "alice").await;
    let credentials = alice.client.turn_credentials().await.unwrap();
    assert_eq!((credentials.ice_servers, credentials.time_to_live), (vec![], Duration::ZERO));
}

pub(crate) async fn ending(phone: &mut Phone) -> Ending {
    phone
        .hears("the end", |event| match event {
            Event::Ended { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .await
}
