//! Waits for calls and answers each of them; what the caller says is said back.
//!
//! ```sh
//! cargo run -p securecall-client --example callee -- ws://127.0.0.1:8080/signal bob
//! ```

// It talks to whoever runs it.
#![allow(clippy::print_stdout)]

use std::error::Error;

use securecall_client::{Client, Event, Identity, Seed, Settings, Suite};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err("give the server's address and an id".into());
    };
    // A program that is to be called tomorrow keeps its seed.
    let identity = Identity::new(&name, &Seed::generate(&mut rand::rng()), Suite::XWing)?;
    let fingerprint = identity.directory_key().fingerprint();
    let (client, mut events) = Client::connect(Settings::new(url, identity))?;
    client.registered().await?;
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
