//! Calls in bad networks: many at once, cut at random.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use securecall_client::{CallId, Ending, Event};

use crate::phone::{PATIENCE, Phone, id};
use crate::proxy::Proxy;
use securecall_testkit::Server;

const CANDIDATES: usize = 80;

/// Calls until somebody answers: a callee who is away for a moment is not connected.
async fn call_until_answered(alice: &mut Phone, bob: &mut Phone, name: &str) -> (CallId, CallId) {
    for _ in 0..50 {
        let alices = alice.client.call(&id(name), "v=0 offer").await.unwrap();
        let answered = async {
            loop {
                match alice.events.next().await.unwrap() {
                    Event::Accepted { .. } => return true,
                    Event::Ended { reason: Ending::NotConnected, .. } => return false,
                    Event::Ended { reason, .. } => panic!("{name}: {reason:?}"),
                    _ => {}
                }
            }
        };
        let answering = async {
            let (call, _) = bob.is_called().await;
            bob.client.accept(call, "v=0 answer").await.unwrap();
            call
        };
        tokio::pin!(answered);
        tokio::select! {
            came_about = &mut answered => assert!(!came_about, "nobody has answered"),
            bobs = answering => {
                assert!(answered.await, "{name}: it was answered");
                return (alices, bobs);
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{name} is never there");
}

async fn hears_all(phone: &mut Phone) {
    for number in 0..CANDIDATES {
        assert_eq!(phone.hears_candidate().await, number.to_string());
    }
}

async fn says_all(phone: &securecall_client::Client, call: CallId) {
    for number in 0..CANDIDATES {
        phone.candidate(call, number.to_string()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One call whose two connections are cut about every `pause`; then the cuts stop.
async fn call_in_a_storm(server: std::net::SocketAddr, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let proxies = [Proxy::to(server).await, Proxy::to(server).await];
    let urls = [proxies[0].url(), proxies[1].url()];
    let (caller, callee) = (format!("alice{seed}"), format!("bob{seed}"));
    let mut alice = Phone::on(&urls[0], &caller).await;
    let mut bob = Phone::on(&urls[1], &callee).await;
    let storm = tokio::spawn(async move {
        for _ in 0..12 {
            tokio::time::sleep(Duration::from_millis(rng.random_range(5..500))).await;
            proxies[usize::from(rng.random_bool(0.5))].cut();
        }
        proxies
    });
    let (alices, bobs) = call_until_answered(&mut alice, &mut bob, &callee).await;
    let (to_bob, to_alice) = (alice.client.clone(), bob.client.clone());
    tokio::join!(
        says_all(&to_bob, alices),
        says_all(&to_alice, bobs),
        hears_all(&mut alice),
        hears_all(&mut bob),
    );
    storm.await.unwrap();
}

#[tokio::test]
async fn calls_come_about_and_lose_nothing_whenever_they_are_cut() {
    let server = Server::start(&[]);
    let address = server.address();
    let calls: Vec<_> = (0..24).map(|seed| tokio::spawn(call_in_a_storm(address, seed))).collect();
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn running_calls_survive_a_server_that_is_killed_again_and_again() {
    let mut server = Server::start(&[]);
    let url = server.url();
    let calls: Vec<_> = (0..8)
        .map(|number| {
            let url = url.clone();
            tokio::spawn(async move {
                let mut bob = Phone::on(&url, &format!("bob{number}")).await;
                let mut alice = Phone::on(&url, &format!("alice{number}")).await;
                let name = format!("bob{number}");
                let (alices, bobs) = call_until_answered(&mut alice, &mut bob, &name).await;
                (alice, bob, alices, bobs)
            })
        })
        .collect();
    let mut pairs = Vec::new();
    for call in calls {
        pairs.push(call.await.unwrap());
    }
    let talks: Vec<_> = pairs
        .into_iter()
        .map(|(mut alice, mut bob, alices, bobs)| {
            let (to_bob, to_alice) = (alice.client.clone(), bob.client.clone());
            tokio::spawn(async move {
                tokio::join!(
                    says_all(&to_bob, alices),
                    says_all(&to_alice, bobs),
                    hears_all(&mut alice),
                    hears_all(&mut bob),
                );
            })
        })
        .collect();
    for pause in [300, 1500, 900] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        server.kill_and_restart();
    }
    for talk in talks {
        talk.await.unwrap();
    }
}

/// A call is set up while the server is killed so many milliseconds after it began.
async fn call_while_the_server_dies(after: Duration) {
    let mut server = Server::start(&[]);
    let mut bob = Phone::on(&server.url(), "bob").await;
    let mut alice = Phone::on(&server.url(), "alice").await;
    let answering = tokio::spawn(async move {
        loop {
            match bob.events.next().await.unwrap() {
                // It may be over by now, and may ring once more.
                Event::Incoming { call, .. } => drop(bob.client.accept(call, "answer").await),
                Event::Candidate { .. } => return bob,
                _ => {}
            }
        }
    });
    alice.client.call(&id("bob"), "offer").await.unwrap();
    tokio::time::sleep(after).await;
    server.kill_and_restart();
    let mut call = None;
    let talking = async {
        loop {
            match alice.events.next().await.unwrap() {
                Event::Accepted { call, .. } => {
                    alice.client.candidate(call, "candidate").await.unwrap();
                }
                // Bob may not be back when it begins again.
                Event::Ended { reason: Ending::NotConnected, .. } => {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    call = Some(alice.client.call(&id("bob"), "offer").await.unwrap());
                }
                Event::Ended { reason, .. } => panic!("after {after:?}: {reason:?} {call:?}"),
                _ => {}
            }
        }
    };
    tokio::select! {
        () = talking => {}
        bob = answering => drop(bob.unwrap()),
        () = tokio::time::sleep(PATIENCE) => panic!("after {after:?} it hangs"),
    }
}

#[tokio::test]
async fn a_server_killed_at_any_moment_of_a_setup_delays_the_call_and_no_more() {
    let calls: Vec<_> = (0..16)
        .map(|step| tokio::spawn(call_while_the_server_dies(Duration::from_millis(step))))
        .collect();
    for call in calls {
        call.await.unwrap();
    }
}
