//! Seals the offers, answers, candidates and signals of a call, so that the relay between two
//! clients can neither read nor change them.
//!
//! This crate refuses to do three things: it opens no socket, it reads no clock, and it makes no
//! randomness. Time and a random generator come in as arguments; what goes out is text, ready to
//! be a JSON string. (The one exception is `Seed::random`, behind the feature `random`, which is
//! off by default.)
//!
//! ```text
//! Caller::offer ──► Offered ───── accept(answer) ──► Established ─┐ seal_candidate, open_candidate,
//!      │ sdpOffer      ▲ sdpAnswer                                │ seal_signal, open_signal,
//!      ▼               │                                          │ short_authentication_string
//! Callee::open_offer ──► Incoming ── answer ───────► Established ─┘
//! ```
//!
//! Each arrow consumes what it starts from, so a call cannot be answered twice, nor a candidate be
//! sealed before there are keys. No nonce, key or sequence number is ever in the application's
//! hands. What the messages look like, byte by byte, what they protect and what they do not:
//! `docs/sealing.md`.
//!
//! ```
//! use std::time::SystemTime;
//! use securecall_seal::{Callee, Caller, DirectoryKey, Identity, Seed, Suite};
//!
//! # fn main() -> Result<(), securecall_seal::Error> {
//! let mut rng = rand::rng();
//! let alice = Identity::new("alice", &Seed::generate(&mut rng), Suite::XWing)?;
//! let bob = Identity::new("bob", &Seed::generate(&mut rng), Suite::XWing)?;
//! # let (directory_alice, directory_bob) = (alice.directory_key().as_str(), bob.directory_key().as_str());
//!
//! // Each looks the other up in the directory.
//! let bobs_key = DirectoryKey::parse(directory_bob, "bob")?;
//! let alices_key = DirectoryKey::parse(directory_alice, "alice")?;
//!
//! let now = SystemTime::now();
//! let (offered, sdp_offer) = Caller::new(&alice, &bobs_key).offer("v=0 offer", now, &mut rng)?;
//! let incoming = Callee::new(&bob).open_offer(&alices_key, &sdp_offer, now)?;
//! let (mut bobs_end, sdp_answer) = incoming.answer("call-1", "v=0 answer", &mut rng)?;
//! let (mut alices_end, answer) = offered.accept("call-1", &sdp_answer)?;
//! assert_eq!(answer, "v=0 answer");
//!
//! let candidate = alices_end.seal_candidate("candidate:1 1 udp …")?;
//! assert_eq!(bobs_end.open_candidate(&candidate)?, "candidate:1 1 udp …");
//! assert_eq!(alices_end.short_authentication_string(), bobs_end.short_authentication_string());
//! # Ok(())
//! # }
//! ```

mod answer;
mod armor;
mod body;
mod callee;
mod caller;
mod channel;
mod clock_offset;
mod commitment;
mod context;
mod directory_key;
mod envelope;
mod error;
mod established;
mod fingerprint;
mod header;
mod hpke_base;
mod identity;
mod labels;
mod offer;
mod redacted;
mod replay;
mod schedule;
mod short_authentication;
mod suite;

pub use body::TEXT_BYTES_MAX;
pub use callee::{Callee, Incoming, Standing};
pub use caller::{Caller, Offered};
pub use channel::MESSAGES_MAX;
pub use clock_offset::ClockOffset;
pub use context::CALL_ID_BYTES_MAX;
pub use directory_key::DirectoryKey;
pub use error::{Error, Fault};
pub use established::Established;
pub use fingerprint::Fingerprint;
pub use identity::{Identity, Seed};
pub use replay::{OFFER_AGE_MAX, OFFERS_PER_CALLER_MAX, OFFERS_REMEMBERED_MAX};
pub use short_authentication::ShortAuthenticationString;
pub use suite::Suite;
