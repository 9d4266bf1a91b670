//! Calls somebody, says hello, waits for the echo and hangs up.
//!
//! ```sh
//! cargo run -p securecall-client --example caller -- ws://127.0.0.1:8080/signal alice bob
//! ```

// It talks to whoever runs it.
#![allow(clippy::print_stdout)]

use std::error::Error;

use securecall_client::{Client, ClientId, Event, Identity, Seed, Settings, Suite};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(name), Some(target)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("give the server's address, an id, and whom to call".into());
    };
    let identity = Identity::new(&name, &Seed::generate(&mut rand::rng()), Suite::XWing)?;
    let (client, mut events) = Client::connect(Settings::new(url, identity))?;

    // Here a WebRTC stack, with relays from `client.turn_credentials()`, makes the offer.
    let target = ClientId::try_from(target.as_str())?;
    let call = client.call(&target, "the caller's SDP").await?;
    client.candidate(call, "a candidate of the caller").await?;

    while let Some(event) = events.next().await {
        match event {
            Event::Ringing { .. } => println!("it rings"),
            Event::Accepted { answer, digits, .. } => {
                println!("answered: {answer}");
                println!(
                    "compare {}",
                    digits.map_or_else(String::new, |digits| digits.to_string())
                );
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
