//! Identities: ids that belong to a key, chains of the acts that change the key, the KEM keys that
//! go with it, and proofs that a client has it.
//!
//! This crate refuses to do four things: it opens no socket, reads no clock, makes no randomness,
//! and seals nothing. Keys, nonces and times come in as arguments; a rule is a pure function that
//! returns what it found, or the one [`Refusal`] that names the rule that was broken.
//!
//! ```text
//! Link::from_text ─► Link ─► Head::begin ─► Head ─ extend(link) ─► Head ─► …
//!                                            │
//!                       Bundle::parse ◄──────┼──────► Demand, Proof::verify
//!                                            ▼
//!        Chain::verify(links) ─► contact::judge(id, known, shown) ─► Judgement
//! ```
//!
//! What everything looks like, byte by byte, what it gives and what it does not: `docs/identity.md`.
//! Test vectors for other languages: `vectors/identity`.
//!
//! ```
//! use securecall_identity::{
//!     Chain, Demand, IdentityKey, Link, Origin, Proof, Purpose, RecoveryKey,
//!     contact::{Judgement, Known, Shown, judge},
//! };
//! # use zeroize::Zeroizing;
//! # fn main() -> Result<(), securecall_identity::Refusal> {
//! # let random = |byte| Zeroizing::new([byte; 32]); // A stand-in: these bytes are random.
//! let key = IdentityKey::from_bytes(&random(1));
//! let recovery = RecoveryKey::from_entropy(&random(2));
//!
//! // Alice's id follows from her first link.
//! let mut chain = Chain::begin(Link::certified_inception(&key, recovery.commitment(), 1_800_000_000)?)?;
//! let id = chain.head().id().clone();
//! let known = chain.head().position();
//!
//! // She proves to a server that the id is hers.
//! let (origin, nonce) = (Origin::parse("wss://signal.example.org")?, [3; 32]);
//! let demand = Demand::of_head(Purpose::Challenge, &origin, chain.head(), &nonce);
//! let proof = Proof::sign(&demand, &key, &[4; 32]);
//! proof.verify(&demand, &key.public_key())?;
//!
//! // Her phone is stolen: the words take the id back, and her contacts see that.
//! let (new_key, new_recovery) = (IdentityKey::from_bytes(&random(5)), RecoveryKey::from_entropy(&random(6)));
//! let link = Link::recover(chain.head(), &recovery, &new_key, new_recovery.commitment(), 1_800_086_400)?;
//! chain.extend(link)?;
//! let judgement = judge(&id, Known::Position(&known), Shown::Chain(&chain));
//! assert_eq!(judgement, Judgement::Recovered(1));
//! # Ok(())
//! # }
//! ```

mod armor;
mod bundle;
mod chain;
mod commitment;
pub mod contact;
mod field;
mod fingerprint;
mod head;
mod id;
mod kem_key;
mod labels;
mod link;
pub mod notation;
mod origin;
mod position;
mod private_key;
mod proof;
mod public_key;
mod redacted;
mod refusal;
mod rotations;

pub use bundle::{BUNDLE_BYTES_MAX, Bundle, BundleMark};
pub use chain::{Broken, Chain};
pub use commitment::Commitment;
pub use fingerprint::Fingerprint;
pub use head::{Binding, Extension, Head, LINKS_KEPT_FOR_RECOVERY, LINKS_MAX};
pub use id::Id;
pub use kem_key::{SUITE_X_WING, SUITE_X25519, check_kem_key};
pub use link::{Kind, LINK_BYTES_MAX, Link, Outline, TIME_MAX};
pub use origin::Origin;
pub use position::Position;
pub use private_key::{IdentityKey, RecoveryKey};
pub use proof::{Demand, PROOF_BYTES, Proof, Purpose};
pub use public_key::PublicKey;
pub use refusal::Refusal;
pub use rotations::{ROTATION_INTERVAL, ROTATIONS_BURST, Rotations};
