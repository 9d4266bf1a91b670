//! Connections through a real coturn alone. They need it installed:
//! `apt-get install coturn && cargo test -p securecall-peer --test connection -- --ignored`.

use securecall_peer::{Config, Event, Policy};

use crate::coturn::{Coturn, SECRET};
use crate::pair::{connect, exchange_a_message_and_a_file, loopback, receiving_into};

pub(crate) fn relay_only(coturn: &Coturn, transport: &str, secret: &str) -> Config {
    Config {
        ice_servers: vec![coturn.ice_server(transport, secret)],
        policy: Policy::Relay,
        tls: Some(coturn.tls()),
        ..loopback()
    }
}

async fn exchange_over(transport: &str) {
    let coturn = Coturn::start();
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = relay_only(&coturn, transport, SECRET);
    let (a, b, candidates) = connect(config.clone(), receiving_into(to.path(), config)).await;
    assert!(candidates.iter().all(|candidate| candidate.contains("typ relay")), "{candidates:?}");
    assert_eq!(candidates.len(), 2);
    exchange_a_message_and_a_file(a, b, from.path(), to.path()).await;
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn two_peers_exchange_a_message_and_a_file_over_relays_reached_by_udp() {
    exchange_over("udp").await;
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn two_peers_exchange_a_message_and_a_file_over_relays_reached_by_tcp() {
    exchange_over("tcp").await;
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn two_peers_exchange_a_message_and_a_file_over_relays_reached_by_tls() {
    exchange_over("tls").await;
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn one_relay_is_enough_for_both_ends() {
    let coturn = Coturn::start();
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = relay_only(&coturn, "udp", SECRET);
    let (a, b, _) = connect(config, receiving_into(to.path(), loopback())).await;
    exchange_a_message_and_a_file(a, b, from.path(), to.path()).await;
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn of_two_credentials_during_a_rotation_the_right_one_is_used() {
    let coturn = Coturn::start();
    let to = tempfile::tempdir().unwrap();
    let mut config = relay_only(&coturn, "udp", "the secret of tomorrow");
    config.ice_servers.push(coturn.ice_server("udp", SECRET));
    let (a, mut b, _) = connect(config.clone(), receiving_into(to.path(), config)).await;
    a.peer.send_text("hello").await.unwrap();
    assert_eq!(b.next().await, Event::Text("hello".to_owned()));
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn a_server_that_is_reached_by_ipv6_and_relays_ipv4_alone_gives_a_relay_that_stays() {
    let coturn = Coturn::start_with(&["--listening-ip=::1"]);
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut config = relay_only(&coturn, "udp", SECRET);
    config.ice_servers[0].urls = vec![coturn.url("udp").replace("127.0.0.1", "[::1]")];
    let (a, b, _) = connect(config, receiving_into(to.path(), loopback())).await;
    exchange_a_message_and_a_file(a, b, from.path(), to.path()).await;
}
