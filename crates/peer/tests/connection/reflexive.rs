//! Answers of a real STUN server, coturn, to a socket behind a NAT.

use securecall_peer::{Config, Event, IceServer, Peer, Policy};
use tokio::time::timeout;

use crate::coturn::Coturn;
use crate::nat::Nat;
use crate::pair::{End, TIMEOUT, loopback};

fn behind(nat: &Nat) -> Config {
    let urls = vec![format!("stun:{}", nat.stun_server)];
    Config { ice_servers: vec![IceServer { urls, ..IceServer::default() }], ..loopback() }
}

#[tokio::test]
#[ignore = "needs coturn installed (turnserver)"]
async fn a_peer_behind_a_nat_is_reached_by_its_reflexive_candidate_alone() {
    let coturn = Coturn::start();
    let nat = Nat::before(coturn.address()).await;
    let (peer, events, offer) = Peer::offer(behind(&nat)).await.unwrap();
    let mut inside = End { peer, events };
    let (peer, events, answer) = Peer::answer(loopback(), &offer).await.unwrap();
    let mut outside = End { peer, events };
    inside.peer.accept_answer(&answer).await.unwrap();
    let reflexive = loop {
        let event = timeout(TIMEOUT, inside.events.next()).await.unwrap();
        match event.unwrap() {
            Event::Candidate(json) if json.contains("typ srflx") => break json,
            Event::Candidate(_) => {}
            event => panic!("{event:?}"),
        }
    };
    assert!(reflexive.contains(&nat.outside.port().to_string()), "{reflexive}");
    // No other candidate, of either end, is passed on.
    outside.peer.add_candidate(&reflexive).await.unwrap();
    assert_eq!(inside.next().await, Event::Connected);
    assert_eq!(outside.next().await, Event::Connected);
    outside.peer.send_text("through the wall").await.unwrap();
    assert_eq!(inside.next().await, Event::Text("through the wall".to_owned()));
}

#[tokio::test]
async fn a_stun_server_that_does_not_answer_is_given_up() {
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let urls = vec![format!("stun:{}", silent.local_addr().unwrap())];
    let ice_servers = vec![IceServer { urls, ..IceServer::default() }];
    let config = Config { ice_servers, ..loopback() };
    let (_peer, mut events, _) = Peer::offer(config).await.unwrap();
    assert!(matches!(events.next().await, Some(Event::Candidate(_))));
    let gathered = timeout(TIMEOUT, events.next()).await.unwrap();
    assert_eq!(gathered, Some(Event::GatheringFinished));
    let mut asked = 0;
    while timeout(std::time::Duration::ZERO, silent.recv(&mut [0; 99])).await.is_ok() {
        asked += 1;
    }
    assert_eq!(asked, 4);
}

#[tokio::test]
async fn with_relays_alone_no_stun_server_is_asked() {
    let stun = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = stun.local_addr().unwrap();
    // The TURN server is not there: over TCP it is not asked for an address either.
    let urls = vec![format!("stun:{address}"), "turn:127.0.0.1:9?transport=tcp".to_owned()];
    let ice_servers = vec![IceServer { urls, ..IceServer::default() }];
    let config = Config { ice_servers, policy: Policy::Relay, ..loopback() };
    let (_peer, mut events, _) = Peer::offer(config).await.unwrap();
    assert!(matches!(events.next().await, Some(Event::Closed(_))));
    assert!(stun.try_recv(&mut [0; 99]).is_err(), "it was asked");
}
