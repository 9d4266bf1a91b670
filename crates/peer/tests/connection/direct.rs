//! Connections over loopback.

use std::time::{Duration, Instant};

use securecall_peer::{
    Closed, Config, Direction, Error, Event, FileError, Kinds, Peer, Policy, Refusal,
};
use tokio::time::timeout;

use crate::pair::{
    TIMEOUT, connect, exchange_a_message_and_a_file, loopback, receiving_into, write_file,
};

#[tokio::test]
async fn two_peers_exchange_a_message_and_a_file() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b, candidates) = connect(loopback(), receiving_into(to.path(), loopback())).await;
    assert!(candidates.iter().all(|candidate| candidate.contains("typ host")));
    exchange_a_message_and_a_file(a, b, from.path(), to.path()).await;
}

/// The end that begins DTLS may do so before the other one has finished its own check of the path.
/// A ClientHello that is lost then comes again after a second.
#[tokio::test]
async fn the_channel_is_open_within_half_a_second() {
    let mut fastest = Duration::MAX;
    // A busy machine may be slow once.
    for _ in 0..5 {
        let began = Instant::now();
        let (a, b, _) = connect(loopback(), loopback()).await;
        fastest = fastest.min(began.elapsed());
        drop((a, b));
    }
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
}

#[tokio::test]
async fn files_go_both_ways_at_once() {
    let (a_folder, b_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut a, mut b, _) = connect(
        receiving_into(a_folder.path(), loopback()),
        receiving_into(b_folder.path(), loopback()),
    )
    .await;
    let ours = write_file(a_folder.path(), "from-a", 3 << 20);
    let theirs = write_file(b_folder.path(), "from-b", 3 << 20);
    a.peer.send_file(&ours).await.unwrap();
    b.peer.send_file(&theirs).await.unwrap();
    let mut ends = Vec::new();
    for _ in 0..2 {
        let (at_a, at_b) = tokio::join!(a.next(), b.next());
        ends.extend([at_a, at_b]);
    }
    for event in [
        Event::FileReceived { path: a_folder.path().join("from-b") },
        Event::FileReceived { path: b_folder.path().join("from-a") },
        Event::FileSent { name: "from-a".to_owned(), received_as: None },
        Event::FileSent { name: "from-b".to_owned(), received_as: None },
    ] {
        assert!(ends.contains(&event), "{event:?} is not in {ends:?}");
    }
}

#[tokio::test]
async fn several_files_come_in_the_order_they_were_sent_and_an_empty_one_counts() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, mut b, _) = connect(loopback(), receiving_into(to.path(), loopback())).await;
    for (name, bytes) in [("one", 100_000), ("empty", 0), ("three", 1)] {
        a.peer.send_file(write_file(from.path(), name, bytes)).await.unwrap();
    }
    for name in ["one", "empty", "three"] {
        assert_eq!(b.next().await, Event::FileReceived { path: to.path().join(name) });
    }
}

#[tokio::test]
async fn a_file_with_a_name_that_is_not_harmless_gets_another_and_both_are_shown() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut a, mut b, _) = connect(loopback(), receiving_into(to.path(), loopback())).await;
    for (name, harmless) in [(".bashrc", "_bashrc"), ("-rf", "_rf"), ("12:30.txt", "12_30.txt")] {
        a.peer.send_file(write_file(from.path(), name, 10)).await.unwrap();
        assert_eq!(b.next().await, Event::FileReceived { path: to.path().join(harmless) });
        let (name, received_as) = (name.to_owned(), Some(harmless.to_owned()));
        assert_eq!(a.next().await, Event::FileSent { name, received_as });
    }
}

#[tokio::test]
async fn candidates_within_the_descriptions_connect() {
    let (a, mut a_events, offer) = Peer::offer(loopback()).await.unwrap();
    let Some(Event::Candidate(json)) = a_events.next().await else { panic!("no candidate") };
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let offer = format!("{offer}a={}\r\n", json["candidate"].as_str().unwrap());
    let (_b, mut b_events, answer) = Peer::answer(loopback(), &offer).await.unwrap();
    a.accept_answer(&answer).await.unwrap();
    // The offering end learns the other one's address from its checks.
    for events in [&mut a_events, &mut b_events] {
        while timeout(TIMEOUT, events.next()).await.unwrap() != Some(Event::Connected) {}
    }
}

#[tokio::test]
async fn a_peer_that_takes_no_files_refuses_them_and_the_chat_goes_on() {
    let from = tempfile::tempdir().unwrap();
    let (mut a, mut b, _) = connect(loopback(), loopback()).await;
    a.peer.send_file(write_file(from.path(), "big", 2 << 20)).await.unwrap();
    let failed = |direction| Event::FileFailed {
        direction,
        name: "big".to_owned(),
        error: FileError::Refused(Refusal::NotAccepted),
    };
    assert_eq!(b.next().await, failed(Direction::Incoming));
    assert_eq!(a.next().await, failed(Direction::Outgoing));
    a.peer.send_text("then not").await.unwrap();
    assert_eq!(b.next().await, Event::Text("then not".to_owned()));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_reported_to_the_sender_alone() {
    let from = tempfile::tempdir().unwrap();
    let (mut a, mut b, _) = connect(loopback(), loopback()).await;
    a.peer.send_file(from.path().join("missing")).await.unwrap();
    a.peer.send_file(from.path()).await.unwrap();
    for _ in 0..2 {
        let Event::FileFailed { error, .. } = a.next().await else { panic!("it was sent") };
        assert!(matches!(error, FileError::Read(_) | FileError::Refused(Refusal::Name)));
    }
    a.peer.send_text("sorry").await.unwrap();
    assert_eq!(b.next().await, Event::Text("sorry".to_owned()));
}

#[tokio::test]
async fn lines_sent_before_the_end_arrive_before_the_end() {
    let (mut a, mut b, _) = connect(loopback(), loopback()).await;
    for n in 0..200 {
        a.peer.send_text(&format!("{n}")).await.unwrap();
        if n % 2 == 0 {
            assert_eq!(b.next().await, Event::Text(format!("{}", n / 2)));
        }
    }
    a.peer.close().await;
    for n in 100..200 {
        assert_eq!(b.next().await, Event::Text(format!("{n}")));
    }
    assert_eq!(b.next().await, Event::Closed(Closed::Remote));
    assert_eq!(a.next().await, Event::Closed(Closed::Local));
    assert_eq!(a.events.next().await, None);
    assert_eq!(a.peer.send_text("x").await, Err(Error::Closed));
}

#[tokio::test]
async fn a_dropped_handle_closes_the_connection() {
    let (a, mut b, _) = connect(loopback(), loopback()).await;
    drop(a);
    assert_eq!(b.next().await, Event::Closed(Closed::Remote));
}

#[tokio::test]
async fn an_absent_other_end_is_reported_in_time() {
    let config = Config { connect_timeout: Duration::from_millis(300), ..loopback() };
    let (_offerer, _unread, offer) = Peer::offer(loopback()).await.unwrap();
    let (_peer, mut events, _) = Peer::answer(config, &offer).await.unwrap();
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event);
    }
    let Some(Event::Closed(Closed::Unreachable(paths))) = last else { panic!("{last:?}") };
    assert_eq!(paths.here, Kinds { host: 1, ..Kinds::default() });
    assert_eq!(paths.there, Kinds::default());
}

#[tokio::test]
async fn an_invalid_description_or_candidate_is_refused() {
    for text in ["", "v=0", "hello", "v=0\r\nm=application", "\u{0}"] {
        let refused = Peer::answer(loopback(), text).await;
        assert!(matches!(refused, Err(Error::Offer(_))), "{text:?}");
    }
    let (peer, _events, offer) = Peer::offer(loopback()).await.unwrap();
    assert!(matches!(peer.accept_answer("v=0").await, Err(Error::Answer(_))));
    assert_eq!(peer.add_candidate("x").await, Err(Error::Candidate));
    let (_other, _unread, answer) = Peer::answer(loopback(), &offer).await.unwrap();
    assert_eq!(peer.accept_answer(&answer).await, Ok(()));
    assert_eq!(peer.accept_answer(&answer).await, Err(Error::NothingOffered));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused() {
    let (peer, _events, _) = Peer::offer(loopback()).await.unwrap();
    let text = "x".repeat(8193);
    assert_eq!(peer.send_text(&text).await, Err(Error::TextTooLong(8193)));
}

#[tokio::test]
async fn relays_alone_without_a_relay_is_refused_at_once() {
    let config = Config { policy: Policy::Relay, ..loopback() };
    assert_eq!(Peer::offer(config).await.err(), Some(Error::NoRelay));
}

#[tokio::test]
async fn messages_without_acknowledgement_in_time_are_unsent() {
    let (mut a, b, _) = connect(loopback(), loopback()).await;
    // Nobody reads what arrives there, so in the end nothing more does.
    let text = "x".repeat(8192);
    while timeout(Duration::from_secs(1), a.peer.send_text(&text)).await.is_ok() {}
    a.peer.close().await;
    assert_eq!(a.next().await, Event::Closed(Closed::Unsent));
    drop(b);
}

#[tokio::test]
async fn messages_in_flight_when_the_other_end_closes_are_unsent() {
    let (mut a, mut b, _) = connect(loopback(), loopback()).await;
    let send = async {
        while a.peer.send_text("and another thing").await.is_ok() {}
        a.next().await
    };
    let receive = async {
        assert!(matches!(b.next().await, Event::Text(_)));
        b.peer.close().await;
        while b.events.next().await.is_some() {}
    };
    let (closed, ()) = tokio::join!(send, receive);
    assert_eq!(closed, Event::Closed(Closed::Unsent));
}
