//! Two peers whose signaling is this file.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use securecall_peer::{Config, Event, Events, HostAddresses, Peer, Receive};
use tokio::time::timeout;

/// Longer than anything here takes, also on a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) struct End {
    pub(crate) peer: Peer,
    pub(crate) events: Events,
}

impl End {
    /// The next event that is no progress and no candidate.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            let event = timeout(TIMEOUT, self.events.next()).await.expect("an event in time");
            match event.expect("an event before the end") {
                Event::FileProgress(_) | Event::Candidate(_) | Event::GatheringFinished => {}
                event => return event,
            }
        }
    }
}

pub(crate) fn loopback() -> Config {
    Config {
        host_addresses: HostAddresses::These(vec![Ipv4Addr::LOCALHOST.into()]),
        ..Config::default()
    }
}

pub(crate) fn receiving_into(folder: &Path, config: Config) -> Config {
    Config {
        receive: Some(Receive {
            file_bytes_max: 100 << 20,
            total_bytes_max: 100 << 20,
            ..Receive::into_folder(folder)
        }),
        ..config
    }
}

/// Connects two peers. Gives each end's candidates too.
pub(crate) async fn connect(offering: Config, answering: Config) -> (End, End, Vec<String>) {
    let (peer, events, offer) = Peer::offer(offering).await.unwrap();
    let mut a = End { peer, events };
    let (peer, events, answer) = Peer::answer(answering, &offer).await.unwrap();
    let mut b = End { peer, events };
    a.peer.accept_answer(&answer).await.unwrap();
    let mut candidates = Vec::new();
    let (mut a_connected, mut b_connected) = (false, false);
    while !(a_connected && b_connected) {
        let (event, other, connected) = tokio::select! {
            event = timeout(TIMEOUT, a.events.next()) => (event, &b.peer, &mut a_connected),
            event = timeout(TIMEOUT, b.events.next()) => (event, &a.peer, &mut b_connected),
        };
        match event.expect("an event in time").expect("an open connection") {
            Event::Candidate(json) => {
                other.add_candidate(&json).await.unwrap();
                candidates.push(json);
            }
            Event::Connected => *connected = true,
            Event::GatheringFinished => {}
            event => panic!("{event:?}"),
        }
    }
    (a, b, candidates)
}

/// A file of that size whose content is like no other's.
pub(crate) fn write_file(folder: &Path, name: &str, bytes: usize) -> PathBuf {
    let path = folder.join(name);
    let content: Vec<u8> = (0..bytes as u64).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
    std::fs::write(&path, content).unwrap();
    path
}

pub(crate) async fn exchange_a_message_and_a_file(mut a: End, mut b: End, from: &Path, to: &Path) {
    a.peer.send_text("hello Bob").await.unwrap();
    assert_eq!(b.next().await, Event::Text("hello Bob".to_owned()));
    b.peer.send_text("hello Alice").await.unwrap();
    assert_eq!(a.next().await, Event::Text("hello Alice".to_owned()));

    let path = write_file(from, "holiday.bin", 5 << 20);
    a.peer.send_file(&path).await.unwrap();
    assert_eq!(b.next().await, Event::FileReceived { path: to.join("holiday.bin") });
    assert_eq!(
        a.next().await,
        Event::FileSent { name: "holiday.bin".to_owned(), received_as: None }
    );
    assert!(std::fs::read(&path).unwrap() == std::fs::read(to.join("holiday.bin")).unwrap());
    a.peer.close().await;
    assert_eq!(a.next().await, Event::Closed(securecall_peer::Closed::Local));
    assert_eq!(b.next().await, Event::Closed(securecall_peer::Closed::Remote));
}
