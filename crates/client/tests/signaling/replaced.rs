//! Calls that take the place of others: both call at once, and somebody calls back.

use securecall_client::{EndReason, Ending, Event};

use crate::phone::{Phone, id, identity};
use securecall_testkit::Server;

/// Goes on until the call that was begun here, or the one that took its place, is answered. Returns
/// whether this end answered.
async fn comes_about(phone: &mut Phone, whom: &str) -> bool {
    let own = phone.client.call(&id(whom), "offer").await.unwrap();
    loop {
        match phone.events.next().await.unwrap() {
            Event::Accepted { call, .. } => {
                assert_eq!(call, own);
                return false;
            }
            Event::Incoming { call, replaces, .. } => {
                assert_eq!(replaces, Some(own));
                phone.client.accept(call, "answer").await.unwrap();
                return true;
            }
            Event::Ended { call, reason } => {
                assert_eq!((call, reason), (own, Ending::Ended(EndReason::Glare)));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn two_who_call_each_other_at_once_get_one_call_every_time() {
    let server = Server::start(&[]);
    for round in 0..8 {
        let names = [format!("alice{round}"), format!("bob{round}")];
        let mut alice = Phone::on(&server.url(), &names[0]).await;
        let mut bob = Phone::on(&server.url(), &names[1]).await;
        let (alice_answered, bob_answered) =
            tokio::join!(comes_about(&mut alice, &names[1]), comes_about(&mut bob, &names[0]));
        assert_ne!(alice_answered, bob_answered, "one call, with a caller and a callee");
    }
}

#[tokio::test]
async fn who_crashed_in_a_call_and_calls_back_is_known_as_the_other_end_of_it() {
    let server = Server::start(&[]);
    let key = identity("alice");
    let mut bob = Phone::on(&server.url(), "bob").await;
    let mut alice = Phone::connecting(&server.url(), key.clone());
    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (running, _) = bob.is_called().await;
    bob.client.accept(running, "answer").await.unwrap();
    alice.is_answered().await;

    // A new process of the same person, which knows nothing of the call.
    let mut alice = Phone::connecting(&server.url(), key);
    alice.client.call(&id("bob"), "offer").await.unwrap();
    let (call, replaces) = bob
        .hears("the call back", |event| match event {
            Event::Incoming { call, replaces, .. } => Some((*call, *replaces)),
            _ => None,
        })
        .await;
    assert_eq!(replaces, Some(running));
    bob.client.accept(call, "answer").await.unwrap();
    bob.client.end(running).await.unwrap();
    assert_eq!(alice.is_answered().await, "answer");
}
