//! The decisions of SecureCall signaling: presence, legal steps of a call, bounds and rates.
//!
//! This crate refuses to do four things: it opens no socket, reads no clock, draws no randomness
//! and starts no task. Time and randomness come in with a [`Context`], and decisions go out as
//! values.
//!
//! # The contract of a session
//!
//! A [`Session`] is one client's side of its calls. Its owner does this, in a loop:
//!
//! 1. Give it **one** input: its client's message ([`Session::handle_message`]), mail from another
//!    session ([`Session::handle_mail`]), a client that comes or goes ([`Session::attach`],
//!    [`Session::detach`]) or the time ([`Session::handle_timeout`]).
//! 2. Carry out all [`Output`]s, in order: send to the client, or hand mail to another session.
//!    [`delivery`] decides about mail whose receiver is not there. The [`Outcome`] of mail is given
//!    to [`Session::handle_outcome`] where [`delivery::needs_report`] returns true.
//! 3. Drop it when [`Session::is_over`]; otherwise wait for the next input, but not beyond
//!    [`Session::deadline`].
//!
//! Two sessions never share memory: they exchange mail alone, so it does not matter whether they
//! live in one thread, one process or one country.

pub mod admission;
pub mod call_id;
pub mod chains;
pub mod connection;
pub mod context;
pub mod delivery;
pub mod directory;
pub mod envelope;
pub mod mail;
pub mod new_records;
pub mod resets;
pub mod session;
pub mod time;
pub mod turn;

pub use admission::{AddressKey, Admission, AdmissionLimits, Refusal};
pub use call_id::{CallIdKey, Nonce, Parties};
pub use connection::{Connection, Due, Step};
pub use context::{CallLimits, Config, ConnectionLimits, Context, UNANSWERED_PER_CALLER_MAX};
pub use mail::{Content, Mail, Outcome, OwnedMail};
pub use new_records::NewRecords;
pub use securecall_protocol::{Bucket, Rate};
pub use session::{Departure, Output, Outputs, Receipt, Session};
pub use time::{Instant, UnixTime};
pub use turn::{NameKey, Turn, TurnRest};
