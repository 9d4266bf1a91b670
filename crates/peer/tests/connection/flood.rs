//! An end that reads slowly, while the other one sends as fast as it can.

use std::time::{Duration, Instant};

use securecall_peer::Event;
use tokio::time::{sleep, timeout};

use crate::pair::{End, TIMEOUT, connect, loopback};

/// Lines of one letter, until the other end has closed the connection.
async fn flood(mut a: End) {
    while a.peer.send_text("x").await.is_ok() {}
    while a.events.next().await.is_some() {}
}

/// Lines of one letter, whose answers are read meanwhile.
async fn flood_and_read(a: End) {
    let End { peer, mut events } = a;
    let writes = async { while peer.send_text("x").await.is_ok() {} };
    let reads = async { while events.next().await.is_some() {} };
    tokio::join!(writes, reads);
}

/// A different one for each number.
fn candidate(n: usize) -> String {
    let port = 1024 + n % 60_000;
    format!(r#"{{"candidate":"candidate:1 1 udp 1 192.0.2.1 {port} typ host"}}"#)
}

#[tokio::test]
async fn candidates_during_a_flood_of_lines_do_not_hang_and_the_end_is_prompt() {
    let (a, mut b, _) = connect(loopback(), loopback()).await;
    tokio::spawn(flood(a));
    let reads = async {
        for line in 0..3000 {
            assert_eq!(b.next().await, Event::Text("x".to_owned()));
            for n in 0..20 {
                b.peer.add_candidate(&candidate(20 * line + n)).await.unwrap();
            }
            if line % 3 == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        }
    };
    timeout(TIMEOUT, reads).await.expect("no circle of queues");
    let began = Instant::now();
    b.peer.close().await;
    while let Event::Text(_) = b.next().await {}
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// Whoever answers before it reads on needs acknowledgements, which come with what it does not read.
#[tokio::test]
async fn an_end_that_answers_each_line_of_a_flood_is_not_stuck() {
    let (a, mut b, _) = connect(loopback(), loopback()).await;
    tokio::spawn(flood_and_read(a));
    let answers = async {
        for _ in 0..3000 {
            assert_eq!(b.next().await, Event::Text("x".to_owned()));
            b.peer.send_text(&"y".repeat(1000)).await.unwrap();
        }
    };
    timeout(TIMEOUT, answers).await.expect("its answers are acknowledged");
}

#[tokio::test]
async fn an_end_whose_events_are_not_read_is_closed_all_the_same() {
    let (a, b, _) = connect(loopback(), loopback()).await;
    tokio::spawn(flood(a));
    sleep(Duration::from_secs(1)).await;
    b.peer.close().await;
    let closed = async { while b.peer.send_text("too late").await.is_ok() {} };
    timeout(Duration::from_secs(10), closed).await.expect("the driver does not wait");
}

/// ICE gives up an end that is silent for half a minute. This one must answer although nobody reads
/// its messages.
#[tokio::test]
#[ignore = "takes 45 seconds"]
async fn an_end_that_does_not_read_for_long_is_not_lost_and_goes_on() {
    let (a, mut b, _) = connect(loopback(), loopback()).await;
    tokio::spawn(flood_and_read(a));
    sleep(Duration::from_secs(45)).await;
    let began = Instant::now();
    for _ in 0..20_000 {
        assert_eq!(b.next().await, Event::Text("x".to_owned()));
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
