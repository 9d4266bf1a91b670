//! Answers each call, and echoes the caller's lines.
//!
//! ```sh
//! cargo run -p securecall-examples --bin callee -- ws://127.0.0.1:8080/signal bertha
//! ```

// It talks to whoever runs it.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use securecall_client::{Client, Event, Identity, Seed, Settings, Suite};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err("give the server's address and an id".into());
    };
    answer_calls(&url, &name).await
}

async fn answer_calls(url: &str, name: &str) -> Result<(), Box<dyn Error>> {
    // A program that is to be called tomorrow stores its seed: see `chat.rs`.
    let identity = Identity::new(name, &Seed::random(), Suite::XWing)?;
    let fingerprint = identity.directory_key().fingerprint();
    let (client, mut events) = Client::connect(Settings::new(url, identity))?;
    client.registered_within(Duration::from_secs(10)).await?;
    println!("{name} can be called, fingerprint {fingerprint}");

    while let Some(event) = events.next().await {
        match event {
            Event::Incoming { call, caller, offer, .. } => {
                println!("{call} from {}: {offer}", caller.as_str());
                // Here a WebRTC stack takes the offer and makes the answer.
                client.accept(call, "the callee's SDP").await?;
            }
            Event::Digits { call, digits } => println!("{call}: compare {digits}"),
            Event::Candidate { call, candidate } => println!("{call}: {candidate}"),
            Event::Signal { call, signal } => client.signal(call, format!("{signal}!")).await?,
            Event::Ended { call, reason } => println!("{call} is over: {reason:?}"),
            Event::Disconnected { cause, retry_in } => println!("{cause}; again in {retry_in:?}"),
            Event::Stopped(stop) => return Err(stop.into()),
            _ => {}
        }
    }
    Ok(())
}
