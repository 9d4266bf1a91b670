//! A dishonest server is caught, whatever it does (docs/sealing.md, "What a client does").

use std::sync::{Arc, Mutex};

use securecall_client::seal::Error as Seal;
use securecall_client::{Ending, Error, Event};
use serde_json::{Value, json};

use crate::calls::ending;
use crate::middle::{Middle, Way};
use crate::phone::{Pair, Phone, id, identity};
use securecall_testkit::Server;

fn is(message: &Value, message_type: &str) -> bool {
    message["type"] == message_type
}

/// Swaps two characters in the middle of a sealed text.
fn forged(sealed: &Value) -> Value {
    let mut text: Vec<char> = sealed.as_str().unwrap().chars().collect();
    let at = text.len() / 2;
    text[at] = if text[at] == 'A' { 'B' } else { 'A' };
    text.into_iter().collect::<String>().into()
}

/// Alice, whose server changes what passes; Bob, whose server is honest.
async fn alice_behind(
    lie: impl FnMut(Way, Value) -> Vec<Value> + Send + 'static,
) -> (Server, Phone, Phone) {
    let server = Server::start(&[]);
    let middle = Middle::before(server.address(), lie).await;
    let bob = Phone::on(&server.url(), "bob").await;
    let alice = Phone::on(&middle.url(), "alice").await;
    (server, alice, bob)
}

/// Alice, whose server changes its answer about bob's key.
async fn alice_told_of_bob(
    mut key: impl FnMut(&Value) -> Value + Send + 'static,
) -> (Server, Phone, Phone) {
    alice_behind(move |way, mut message| {
        if way == Way::ToClient && message["payload"]["clientId"] == "bob" {
            message["payload"]["publicKey"] = key(&message["payload"]["publicKey"]);
        }
        vec![message]
    })
    .await
}

/// Alice, whose server passes another offer on.
async fn alice_offering(
    mut offer: impl FnMut(&Value) -> Value + Send + 'static,
) -> (Server, Phone, Phone) {
    alice_behind(move |way, mut message| {
        if way == Way::ToServer && is(&message, "CALL_INITIATE") {
            message["payload"]["sdpOffer"] = offer(&message["payload"]["sdpOffer"]);
        }
        vec![message]
    })
    .await
}

async fn refusal(phone: &mut Phone) -> Error {
    phone
        .hears("the refusal", |event| match event {
            Event::OfferRefused { why, .. } => Some(why.clone()),
            Event::Incoming { .. } => panic!("it should not ring"),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_key_of_somebody_else_in_place_of_the_callees_is_refused() {
    let mallory = identity("mallory").directory_key().as_str().to_owned();
    let (_server, alice, _bob) = alice_told_of_bob(move |_| json!(mallory)).await;
    let called = alice.client.call(&id("bob"), "offer").await;
    assert!(matches!(called, Err(Error::Seal(Seal::KeyOfAnotherClient))), "{called:?}");
}

#[tokio::test]
async fn a_changed_directory_key_is_refused() {
    let (_server, alice, _bob) = alice_told_of_bob(forged).await;
    let called = alice.client.call(&id("bob"), "offer").await;
    assert!(matches!(called, Err(Error::Seal(Seal::KeyNotSelfSigned))), "{called:?}");
}

#[tokio::test]
async fn a_key_made_by_the_server_in_the_callees_name_opens_nothing_of_his() {
    // Nothing is remembered of bob: the first contact is what the digits are for. But the offer is
    // not for bob's keys, so he does not ring and the server gains nothing but a failed call.
    let fake = identity("bob").directory_key().as_str().to_owned();
    let (_server, alice, mut bob) = alice_told_of_bob(move |_| json!(fake)).await;
    alice.client.call(&id("bob"), "offer").await.unwrap();
    assert!(matches!(refusal(&mut bob).await, Error::Seal(Seal::OwnKeyChanged)));
}

#[tokio::test]
async fn another_key_of_a_known_callee_is_shown() {
    let lies = Arc::new(Mutex::new(None::<String>));
    let fake = Arc::clone(&lies);
    let (_server, mut alice, mut bob) = alice_behind(move |way, mut message| {
        if let (Some(fake), Way::ToClient, "PKD_RESULT") =
            (&*fake.lock().unwrap(), way, message["type"].as_str().unwrap())
        {
            message["payload"]["publicKey"] = json!(fake);
        }
        vec![message]
    })
    .await;
    let call = alice.client.call(&id("bob"), "offer").await.unwrap();
    let (bobs, _) = bob.is_called().await;
    bob.client.accept(bobs, "answer").await.unwrap();
    alice.is_answered().await;
    alice.client.end(call).await.unwrap();

    *lies.lock().unwrap() = Some(identity("bob").directory_key().as_str().to_owned());
    let called = alice.client.call(&id("bob"), "offer").await;
    assert!(matches!(called, Err(Error::KeyChanged(_))), "{called:?}");
}

#[tokio::test]
async fn an_offer_with_another_fingerprint_does_not_ring() {
    let (_server, alice, mut bob) = alice_offering(forged).await;
    alice.client.call(&id("bob"), "a=fingerprint:sha-256 AA:BB").await.unwrap();
    assert!(matches!(refusal(&mut bob).await, Error::Seal(Seal::NotAuthentic)));
}

#[tokio::test]
async fn an_offer_in_clear_does_not_ring() {
    let (_server, alice, mut bob) =
        alice_offering(|_| json!("v=0\r\na=fingerprint:sha-256 EE:EE")).await;
    alice.client.call(&id("bob"), "offer").await.unwrap();
    assert!(matches!(refusal(&mut bob).await, Error::Seal(Seal::Malformed)));
}

#[tokio::test]
async fn an_offer_that_was_here_before_does_not_ring_again() {
    let mut kept = None;
    let (_server, alice, mut bob) = alice_behind(move |way, mut message| {
        if way == Way::ToServer && is(&message, "CALL_INITIATE") {
            let offer = message["payload"]["sdpOffer"].clone();
            message["payload"]["sdpOffer"] = kept.get_or_insert(offer).clone();
        }
        vec![message]
    })
    .await;
    let call = alice.client.call(&id("bob"), "first offer").await.unwrap();
    bob.is_called().await;
    alice.client.end(call).await.unwrap();
    alice.client.call(&id("bob"), "second offer").await.unwrap();
    assert!(matches!(refusal(&mut bob).await, Error::Seal(Seal::Replayed)));
}

#[tokio::test]
async fn a_changed_answer_ends_the_call() {
    let (_server, mut alice, mut bob) = alice_behind(|way, mut message| {
        if way == Way::ToClient && is(&message, "CALL_ACCEPTED") {
            message["payload"]["sdpAnswer"] = forged(&message["payload"]["sdpAnswer"]);
        }
        vec![message]
    })
    .await;
    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (call, _) = bob.is_called().await;
    bob.client.accept(call, "answer").await.unwrap();
    assert_eq!(ending(&mut alice).await, Ending::Interference(Seal::NotAuthentic));
    ending(&mut bob).await;
}

#[tokio::test]
async fn an_answer_to_another_offer_ends_the_call() {
    let mut kept = None;
    let (_server, mut alice, mut bob) = alice_behind(move |way, mut message| {
        if way == Way::ToClient && is(&message, "CALL_ACCEPTED") {
            let answer = message["payload"]["sdpAnswer"].clone();
            message["payload"]["sdpAnswer"] = kept.get_or_insert(answer).clone();
        }
        vec![message]
    })
    .await;
    for _ in 0..2 {
        alice.client.call(&id("bob"), "offer").await.unwrap();
        let (call, _) = bob.is_called().await;
        bob.client.accept(call, "answer").await.unwrap();
    }
    assert_eq!(ending(&mut alice).await, Ending::Interference(Seal::OtherOffer));
}

#[tokio::test]
async fn a_call_of_another_name_is_not_the_one_that_was_offered() {
    // The server presents the offer to bob under the id of another call.
    let (_server, mut alice, mut bob) = alice_behind(|way, mut message| {
        let call_id = &mut message["payload"]["callId"];
        if let Some(name) = call_id.as_str().map(str::to_owned) {
            *call_id = match way {
                Way::ToClient => json!(format!("{name}x")),
                Way::ToServer => json!(name.trim_end_matches('x')),
            };
        }
        vec![message]
    })
    .await;
    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (call, _) = bob.is_called().await;
    bob.client.accept(call, "answer").await.unwrap();
    assert_eq!(ending(&mut alice).await, Ending::Interference(Seal::NotAuthentic));
}

/// The events of alice when her server does this to bob's candidates.
async fn candidate_error(change: fn(&mut Value, &Mutex<Vec<Value>>)) -> Seal {
    let server = Server::start(&[]);
    let own = Mutex::new(Vec::new());
    let middle = Middle::before(server.address(), move |way, mut message| {
        if is(&message, "ICE_CANDIDATE") {
            match way {
                Way::ToServer => own.lock().unwrap().push(message["payload"]["candidate"].clone()),
                Way::ToClient => change(&mut message["payload"]["candidate"], &own),
            }
        }
        vec![message]
    })
    .await;
    let mut pair = Pair::calling(&middle.url(), &server.url()).await;
    for text in ["first", "second"] {
        pair.bob.client.candidate(pair.bobs, text).await.unwrap();
    }
    pair.alice
        .hears("a refused candidate", |event| match event {
            Event::MessageRefused { error, .. } => Some(*error),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn changed_repeated_and_reflected_candidates_are_refused() {
    let changed = candidate_error(|candidate, _| *candidate = forged(candidate)).await;
    assert_eq!(changed, Seal::NotAuthentic);
    let reflected = candidate_error(|candidate, own| {
        *candidate = own.lock().unwrap()[0].clone();
    });
    assert_eq!(reflected.await, Seal::Reflected);
    let repeated = candidate_error(|candidate, kept| {
        // The list begins with alice's own empty candidate.
        let mut kept = kept.lock().unwrap();
        match kept.get(1) {
            Some(first) => *candidate = first.clone(),
            None => kept.push(candidate.clone()),
        }
    });
    assert_eq!(repeated.await, Seal::Replayed);
}

#[tokio::test]
async fn nothing_but_sealed_texts_passes_the_server() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let server = Server::start(&[]);
    let middle = Middle::before(server.address(), move |_, message| {
        log.lock().unwrap().push(message.to_string());
        vec![message]
    })
    .await;
    let mut pair = Pair::calling(&middle.url(), &server.url()).await;
    pair.alice.client.candidate(pair.alices, "candidate:secret").await.unwrap();
    pair.bob.hears_candidate().await;
    pair.talk("secret signal").await;
    let seen = seen.lock().unwrap().join("\n");
    for text in ["v=0", "candidate:", "secret", "signal\""] {
        assert!(!seen.contains(text), "{text} was seen");
    }
}

/// The digits that a phone shows.
async fn digits(phone: &mut Phone) -> String {
    phone
        .hears("digits", |event| match event {
            Event::Digits { digits, .. } => Some(digits.to_string()),
            Event::Accepted { digits, .. } => digits.map(|digits| digits.to_string()),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn somebody_in_the_middle_at_a_first_contact_shows_in_the_digits() {
    // Mallory runs both servers: on alice's she is bob, on bob's she is alice.
    let (of_alice, of_bob) = (Server::start(&[]), Server::start(&[]));
    let mut false_bob = Phone::on(&of_alice.url(), "bob").await;
    let mut false_alice = Phone::on(&of_bob.url(), "alice").await;
    let mut alice = Phone::on(&of_alice.url(), "alice").await;
    let mut bob = Phone::on(&of_bob.url(), "bob").await;

    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (to_alice, offer) = false_bob.is_called().await;
    false_alice.client.call(&id("bob"), offer).await.unwrap();
    let (call, _) = bob.is_called().await;
    bob.client.accept(call, "answer").await.unwrap();
    let answer = false_alice.is_answered().await;
    false_bob.client.accept(to_alice, answer).await.unwrap();
    assert_ne!(digits(&mut alice).await, digits(&mut bob).await);
}
