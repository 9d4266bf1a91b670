//! The client keeps the rates that its server announces.

use std::time::{Duration, Instant};

use securecall_testkit::Server;

use crate::phone::{PATIENCE, Phone, id};

const FEW: usize = 50;

/// Sends this number of candidates through a server with this rate. Returns the time they took.
async fn candidates_take(rate: &str, count: u32) -> Duration {
    let server = Server::start(&[&format!("--candidates-rate={rate}")]);
    let alice = Phone::on(&server.url(), "alice").await;
    let mut bob = Phone::on(&server.url(), "bob").await;
    let call = alice.client.call(&id("bob"), "offer").await.unwrap();
    let (bobs, _) = bob.is_called().await;
    bob.client.accept(bobs, "answer").await.unwrap();
    let began = Instant::now();
    // A few at a time: a client queues a bounded number of messages.
    for first in (0..count).step_by(FEW) {
        let few = first..count.min(first + FEW as u32);
        for number in few.clone() {
            alice.client.candidate(call, &number.to_string()).await.unwrap();
        }
        for number in few {
            assert_eq!(bob.hears_candidate().await, number.to_string());
            assert!(began.elapsed() < PATIENCE, "only {number} candidates came");
        }
    }
    let took = began.elapsed();
    assert_eq!(server.metric("securecall_errors_total{code=\"rate_limited\"}"), 0);
    took
}

#[tokio::test]
async fn a_slow_server_refuses_nothing() {
    let took = candidates_take("20/20", 60).await;
    assert!(took >= Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_fast_server_is_used_at_its_rate() {
    // 300 at once, then 40 a second, would take 15 seconds.
    let took = candidates_take("1000/1000", 900).await;
    assert!(took < Duration::from_secs(8), "{took:?}");
}
