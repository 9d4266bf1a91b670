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
//! What goes over the channel: `docs/data-channel.md`.
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

mod allowance;
mod candidate;
mod config;
mod driver;
mod early;
mod error;
mod event;
mod file_name;
mod frame;
mod host;
mod ice_server;
mod inbox;
mod incoming_file;
mod network;
mod outbox;
mod paths;
mod peer;
mod reflexive;
mod relay;
mod relay_failure;
mod relays;
mod resolve;
mod sdp;
mod stun_server;
mod timers;
mod turn_server;
mod verdict;
mod wire;

pub use config::{Config, HostAddresses, KeptFiles, Policy, Receive};
pub use error::{Error, FileError, Refusal, Violation};
pub use event::{Closed, Direction, Event, Events, FileProgress};
pub use frame::TEXT_BYTES_MAX;
pub use ice_server::IceServer;
pub use paths::{Kinds, Paths};
pub use peer::Peer;
pub use relay_failure::RelayFailure;
pub use securecall_characters::deceives;
