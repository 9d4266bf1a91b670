//! Calls a client, sends a greeting, awaits the echo and hangs up.
//!
//! ```sh
//! cargo run -p securecall-examples --bin caller -- ws://127.0.0.1:8080/signal anton bertha
//! ```

// It talks to whoever runs it.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use securecall_client::{Client, ClientId, Event, Identity, Seed, Settings, Suite};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(name), Some(target)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("give the server's address, an id, and whom to call".into());
    };
    say_hello(&url, &name, &target).await
}

async fn say_hello(url: &str, name: &str, target: &str) -> Result<(), Box<dyn Error>> {
    let identity = Identity::new(name, &Seed::random(), Suite::XWing)?;
    let (client, mut events) = Client::connect(Settings::new(url, identity))?;
    client.registered_within(Duration::from_secs(10)).await?;

    // Here a WebRTC stack, with relays from `client.turn_credentials()`, makes the offer.
    let call = client.call(&ClientId::try_from(target)?, "the caller's SDP").await?;
    client.candidate(call, "a candidate of the caller").await?;

    while let Some(event) = events.next().await {
        match event {
            Event::Ringing { .. } => println!("it rings"),
            Event::Accepted { answer, digits, .. } => {
                println!("answered: {answer}");
                if let Some(digits) = digits {
                    println!("compare {digits}");
                }
                client.signal(call, "hello").await?;
            }
            Event::Signal { signal, .. } => {
                println!("heard: {signal}");
                client.end(call).await?;
                client.close().await;
                return Ok(());
            }
            Event::Ended { reason, .. } => return Err(format!("it is over: {reason:?}").into()),
            Event::Stopped(stop) => return Err(stop.into()),
            _ => {}
        }
    }
    Ok(())
}
