//! A test of each TURN server: two peers on this machine connect through it alone.

use securecall_client::IceServer;
use securecall_peer::{Config, Event, Events, IceServer as PeerIceServer, Peer, Policy};

use super::report::Report;
use crate::conversation::options::convert;

pub(crate) async fn look_at(report: &mut Report, ice_servers: &[IceServer]) {
    if ice_servers.is_empty() {
        report.skip("relay", "the server provides no TURN credentials");
    }
    for server in ice_servers {
        for url in server.urls.iter().filter(|url| url.starts_with("turn")) {
            let config = Config {
                ice_servers: vec![PeerIceServer { urls: vec![url.clone()], ..convert(server) }],
                policy: Policy::Relay,
                ..Config::default()
            };
            report.step(format!("relay {url}"), relay(config)).await;
        }
    }
}

async fn relay(config: Config) -> Result<(), String> {
    let failed = |error: securecall_peer::Error| error.to_string();
    let (one, mut of_one, offer) = Peer::offer(config.clone()).await.map_err(failed)?;
    let (other, mut of_other, answer) = Peer::answer(config, &offer).await.map_err(failed)?;
    one.accept_answer(&answer).await.map_err(failed)?;
    tokio::try_join!(until_connected(&mut of_one, &other), until_connected(&mut of_other, &one))?;
    one.close().await;
    other.close().await;
    Ok(())
}

/// Passes the candidates of one peer to the other, until it is connected.
async fn until_connected(events: &mut Events, other: &Peer) -> Result<(), String> {
    let mut connected = false;
    while let Some(event) = events.next().await {
        match event {
            Event::Candidate(candidate) => {
                other.add_candidate(&candidate).await.map_err(|error| error.to_string())?;
            }
            Event::Connected => connected = true,
            Event::Closed(why) => return Err(why.to_string()),
            _ => {}
        }
        if connected {
            return Ok(());
        }
    }
    Err("closed".to_owned())
}
