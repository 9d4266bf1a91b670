//! A client of SecureCall signaling, on tokio: it calls and is called, and whatever it sends to the
//! other end is sealed, so that the server can neither read nor change it.
//!
//! This crate refuses to do three things: it takes no media (bring a WebRTC stack; what it gives
//! and takes are offers, answers and candidates), it calls nobody without a key, and it takes no
//! other key than the one it remembers without the application's consent.
//!
//! ```no_run
//! use securecall_client::{Client, ClientId, Event, Identity, Seed, Settings, Suite};
//!
//! # async fn ten_lines(offer: String) -> Result<(), Box<dyn std::error::Error>> {
//! let identity = Identity::new("alice", &Seed::random(), Suite::XWing)?;
//! let (client, mut events) = Client::connect(Settings::new("wss://example.net/signal", identity))?;
//! let call = client.call(&ClientId::try_from("bob")?, offer).await?;
//! client.candidate(call, "candidate:1 1 udp …").await?;
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Accepted { answer, digits, .. } => println!("{answer} {digits:?}"),
//!         Event::Candidate { candidate, .. } => println!("{candidate}"),
//!         Event::Ended { reason, .. } => return Ok(println!("over: {reason:?}")),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! By itself it publishes its key in the server's directory, connects again after a
//! loss and takes up its calls where they broke off, repeats what may have been lost, keeps the
//! pace that the server allows, and stops where it would only do harm (another device has
//! registered its id). The details are in `docs/client.md`; `docs/protocol.md` and
//! `docs/sealing.md` describe what goes over the wire.
//!
//! Inside, a state machine without I/O, clock or randomness decides (`machine`), and one task owns
//! the socket and carries out (`shell`).

mod backoff;
mod client;
mod command;
mod error;
mod event;
mod folder;
mod identity_file;
mod known_keys;
mod machine;
#[cfg(feature = "peer")]
pub mod peer;
mod settings;
mod shell;

pub use client::{Client, Events, LookedUp, TurnCredentials};
pub use error::Error;
pub use event::{CallId, Disconnect, Ending, Event, KeyChange, Stop};
pub use identity_file::{IdentityFileError, StoredIdentity};
pub use known_keys::{KnownKeys, KnownKeysError};
pub use settings::Settings;
pub use shell::{ConnectError, Wire, system_authorities};

/// The TLS library of [`Settings::tls`].
pub use rustls;
pub use securecall_protocol::client::IceServer;
pub use securecall_protocol::{
    ClientId, ClientIdError, Dialect, EndReason, ErrorCode, RejectReason,
};
pub use securecall_seal::{
    self as seal, DirectoryKey, Fingerprint, Identity, Seed, ShortAuthenticationString, Suite,
};
/// The seed's bytes, wiped when they are dropped: for [`Seed::from_bytes`].
pub use zeroize::Zeroizing;

/// The Rust of the pages that show it.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/client.md")]
    struct ClientPage;
}
