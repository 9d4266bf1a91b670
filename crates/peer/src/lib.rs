//! One end of a WebRTC data channel between two terminals, with chat lines and files over it.
//!
//! This crate knows nothing of signaling: offer, answer and candidates go in and out as text, and
//! how they travel, and whether they are sealed, is the application's. It has no audio and no
//! video, opens one channel, and remembers nothing between connections. The WebRTC itself is
//! `str0m`, the TURN client `turn-client-proto`; both do no I/O, which is here.
//!
//! ```text
//! Peer ── commands ──► driver ◄── datagrams ── sockets, relays
//!   │                  ▲    │
//!   │ text    messages │    │ messages
//!   ▼                  │    ▼
//!  outbox ─────────────┘   inbox ── events ──► Events
//! ```
//!
//! The driver is a task, and the only one that touches the connection. Inbox and outbox read and
//! write files, so they are threads. Every arrow is a bounded queue: a peer that sends faster than
//! the disk writes is slowed down, and so is a file that is read faster than the network takes it.
//! The driver itself never waits for the inbox or the application, so no queues form a circle.
//! `docs/data-channel.md` specifies the protocol of the channel.
//!
//! ```no_run
//! # async fn run(signal: impl Fn(&str), answer: &str) -> Result<(), securecall_peer::Error> {
//! use securecall_peer::{Config, Event, Peer};
//!
//! let (peer, mut events, offer) = Peer::offer(Config::default()).await?;
//! signal(&offer);
//! peer.accept_answer(answer).await?;
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Candidate(candidate) => signal(&candidate),
//!         Event::Connected => peer.send_text("hello").await?,
//!         Event::Text(_) | Event::Closed(_) => break,
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod channel;
mod config;
mod driver;
mod error;
mod event;
mod ice;
mod peer;
mod turn;

pub use channel::frame::TEXT_BYTES_MAX;
pub use config::{Config, HostAddresses, KeptFiles, Policy, Receive};
pub use error::{Error, FileError, Refusal, Violation};
pub use event::{Closed, Direction, Event, Events, FileProgress};
pub use ice::paths::{Kinds, Paths};
pub use peer::Peer;
pub use securecall_characters::deceives;
pub use turn::ice_server::IceServer;
pub use turn::relay_failure::RelayFailure;
