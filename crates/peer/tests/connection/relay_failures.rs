//! TURN servers that are not there, do not want to, or are at the second address of their name.

use std::time::{Duration, Instant};

use securecall_peer::{Closed, Config, Event, Events, IceServer, Peer, Policy, RelayFailure};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::{sleep, timeout};

use crate::coturn::{Coturn, SECRET};
use crate::namespaces::is_where_a_name_has_two_addresses;
use crate::pair::{TIMEOUT, loopback};
use crate::relayed::relay_only;

fn relays_of(url: String) -> Config {
    let ice_servers = vec![IceServer { urls: vec![url], ..IceServer::default() }];
    Config { ice_servers, policy: Policy::Relay, ..loopback() }
}

async fn next(events: &mut Events) -> Event {
    timeout(TIMEOUT, events.next()).await.unwrap().unwrap()
}

/// The first event of an end that may use relays alone.
async fn first_event(config: Config) -> (Peer, Events, Event) {
    let (peer, mut events, _) = Peer::offer(config).await.unwrap();
    let first = next(&mut events).await;
    (peer, events, first)
}

async fn assert_failure(config: Config, expected: RelayFailure) {
    let (_peer, _events, first) = first_event(config).await;
    assert_eq!(first, Event::Closed(Closed::NoRelay(expected)));
}

#[tokio::test]
async fn a_name_without_an_address_and_a_port_without_a_server_are_distinguished() {
    assert_failure(relays_of("turn:no such name".to_owned()), RelayFailure::NameNotFound).await;
    let closed = "turn:127.0.0.1:9?transport=tcp".to_owned();
    assert_failure(relays_of(closed), RelayFailure::Unreachable).await;
}

#[tokio::test]
async fn a_server_that_swallows_requests_did_not_answer() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("turn:{}", silent.local_addr().unwrap());
    assert_failure(relays_of(url), RelayFailure::Silent).await;
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn a_certificate_that_is_not_trusted_is_named() {
    let coturn = Coturn::start();
    let config = Config { tls: None, ..relay_only(&coturn, "tls", SECRET) };
    assert_failure(config, RelayFailure::Tls).await;
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn a_credential_that_is_refused_is_named() {
    let coturn = Coturn::start();
    for transport in ["udp", "tcp", "tls"] {
        let config = relay_only(&coturn, transport, "another secret");
        assert_failure(config, RelayFailure::Credential).await;
    }
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn a_quota_that_is_used_up_is_not_taken_for_a_wrong_credential() {
    let coturn = Coturn::start_with(&["--user-quota=1"]);
    for transport in ["udp", "tcp"] {
        let config = relay_only(&coturn, transport, SECRET);
        let (peer, mut events, first) = first_event(config.clone()).await;
        assert!(matches!(first, Event::Candidate(_)), "{first:?}");
        assert_failure(config, RelayFailure::Quota).await;
        close(peer, &mut events).await;
        sleep(Duration::from_secs(1)).await;
    }
}

async fn close(peer: Peer, events: &mut Events) {
    peer.close().await;
    while !matches!(next(events).await, Event::Closed(_)) {}
}

/// Gives relays back and takes new ones: with a quota of one, each must be there again.
async fn assert_given_back(transport: &str, held: Duration) {
    let coturn = Coturn::start_with(&["--user-quota=1", "--stale-nonce=1"]);
    for turn in 0..3 {
        let config = relay_only(&coturn, transport, SECRET);
        let (peer, mut events, first) = first_event(config).await;
        assert!(matches!(first, Event::Candidate(_)), "turn {turn}: {first:?}");
        sleep(held).await;
        close(peer, &mut events).await;
        // coturn counts it until its own timer has seen it.
        sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn a_relay_is_given_back_although_the_nonce_is_stale() {
    for transport in ["udp", "tcp"] {
        assert_given_back(transport, Duration::from_millis(2500)).await;
    }
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn a_relay_is_given_back_right_after_it_was_allocated() {
    assert_given_back("udp", Duration::ZERO).await;
}

async fn assert_reached_by_name(coturn: &Coturn, transport: &str) {
    let mut config = relay_only(coturn, transport, SECRET);
    config.ice_servers[0].urls = vec![coturn.url_by_name(transport)];
    let began = Instant::now();
    let (_peer, _events, first) = first_event(config).await;
    assert!(matches!(first, Event::Candidate(_)), "{transport}: {first:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{transport}: {:?}", began.elapsed());
}

#[tokio::test]
#[ignore = "needs coturn (turnserver), and root for a network namespace"]
async fn a_name_whose_first_address_refuses_gives_a_relay_by_the_second() {
    const NAME: &str = "a_name_whose_first_address_refuses_gives_a_relay_by_the_second";
    if !is_where_a_name_has_two_addresses(&format!("relay_failures::{NAME}")) {
        return;
    }
    let coturn = Coturn::start();
    for transport in ["udp", "tcp"] {
        assert_reached_by_name(&coturn, transport).await;
    }
}

#[tokio::test]
#[ignore = "needs coturn (turnserver), and root for a network namespace"]
async fn a_name_whose_first_address_swallows_everything_gives_a_relay_by_the_second() {
    const NAME: &str = "a_name_whose_first_address_swallows_everything_gives_a_relay_by_the_second";
    if !is_where_a_name_has_two_addresses(&format!("relay_failures::{NAME}")) {
        return;
    }
    let coturn = Coturn::start();
    let silent = ("::1", coturn.address().port());
    let _datagrams = UdpSocket::bind(silent).await.unwrap();
    let _streams = TcpListener::bind(silent).await.unwrap();
    for transport in ["udp", "tcp"] {
        assert_reached_by_name(&coturn, transport).await;
    }
}
