//! Two people chat over a WebRTC data channel; the server carries the sealed offer, answer and candidates.
//!
//! ```sh
//! cargo run -p securecall-examples --bin chat -- ws://127.0.0.1:8080/signal bertha
//! cargo run -p securecall-examples --bin chat -- ws://127.0.0.1:8080/signal anton bertha
//! ```
//!
//! The first one waits for a call, the second one calls. The files `bertha.json` and `anton.json`
//! store their identities, `bertha.keys` and `anton.keys` the keys of their contacts. Each line
//! goes to the other end; the end of the input (Ctrl-D) hangs up.

// It talks to whoever runs it.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use securecall_client::peer::{self, Config, Peer};
use securecall_client::{
    CallId, Client, ClientId, Event, Events, IceServer, KnownKeys, Settings, StoredIdentity,
};
use tokio::sync::mpsc;

type Failure = Box<dyn Error>;

/// The queue of lines to be sent.
const LINES_WAITING_MAX: usize = 16;

/// A call, and the connection that it sets up.
struct Link {
    call: CallId,
    peer: Arc<Peer>,
    events: peer::Events,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (url, name, callee) = match arguments.as_slice() {
        [url, name] => (url, name, None),
        [url, name, callee] => (url, name, Some(ClientId::try_from(callee.as_str())?)),
        _ => return Err("give the server's address, an id, and whom to call".into()),
    };
    let identity = StoredIdentity::read_or_create(format!("{name}.json"), name)?.identity()?;
    let known_keys = KnownKeys::open(format!("{name}.keys"), url)?;
    let settings = Settings::new(url, identity).known_keys(known_keys);
    let (client, mut events) = Client::connect(settings)?;
    client.registered_within(Duration::from_secs(10)).await?;

    let link = match callee {
        Some(callee) => call(&client, &callee).await?,
        None => {
            println!("{name} can be called");
            be_called(&client, &mut events).await?
        }
    };
    let talked = talk(&client, &mut events, link).await;
    client.close().await;
    talked
}

async fn call(client: &Client, callee: &ClientId) -> Result<Link, Failure> {
    let relays = client.turn_credentials().await?.ice_servers;
    let (peer, events, offer) = Peer::offer(config(relays)).await?;
    let call = client.call(callee, offer).await?;
    Ok(Link { call, peer: Arc::new(peer), events })
}

async fn be_called(client: &Client, events: &mut Events) -> Result<Link, Failure> {
    while let Some(event) = events.next().await {
        match event {
            Event::Incoming { call, caller, offer, ice_servers, .. } => {
                println!("{} calls", caller.as_str());
                let (peer, events, answer) = Peer::answer(config(ice_servers), &offer).await?;
                client.accept(call, answer).await?;
                return Ok(Link { call, peer: Arc::new(peer), events });
            }
            Event::Stopped(stop) => return Err(stop.into()),
            _ => {}
        }
    }
    Err("the client has stopped".into())
}

fn config(relays: Vec<IceServer>) -> Config {
    Config { ice_servers: peer::relays(relays), ..Config::default() }
}

/// Passes candidates between the two, and lines to the terminal, until either end hangs up.
async fn talk(client: &Client, events: &mut Events, mut link: Link) -> Result<(), Failure> {
    loop {
        tokio::select! {
            Some(event) = events.next() => match event {
                Event::Accepted { answer, digits, .. } => {
                    show(digits);
                    link.peer.accept_answer(&answer).await?;
                }
                Event::Digits { digits, .. } => show(Some(digits)),
                Event::Candidate { candidate, .. } => link.peer.add_candidate(&candidate).await?,
                // Once there is a connection, the call has done its work.
                Event::Ended { reason, .. } => println!("the call is over: {reason:?}"),
                Event::Stopped(stop) => return Err(stop.into()),
                _ => {}
            },
            Some(event) = link.events.next() => match event {
                peer::Event::Candidate(candidate) => client.candidate(link.call, candidate).await?,
                peer::Event::Connected => {
                    println!("connected");
                    tokio::spawn(send_lines(link.peer.clone()));
                }
                peer::Event::Text(text) => println!("> {text}"),
                peer::Event::Closed(peer::Closed::Local | peer::Closed::Remote) => return Ok(()),
                peer::Event::Closed(closed) => return Err(closed.into()),
                _ => {}
            },
            else => return Ok(()),
        }
    }
}

fn show(digits: Option<impl std::fmt::Display>) {
    if let Some(digits) = digits {
        println!("compare by voice: {digits}");
    }
}

/// Sends the typed lines. It is a task of its own: sending may block until the other end reads, and
/// meanwhile this end must go on reading.
async fn send_lines(peer: Arc<Peer>) {
    let (sender, mut lines) = mpsc::channel(LINES_WAITING_MAX);
    // A terminal is read by a thread: such a read cannot be cancelled.
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines.map(|line| sender.blocking_send(line)).take_while(Result::is_ok).for_each(drop);
    });
    while let Some(line) = lines.recv().await {
        if peer.send_text(&line).await.is_err() {
            return;
        }
    }
    peer.close().await;
}
