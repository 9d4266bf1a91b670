//! The public-key directory: one key for each client id, kept across restarts.
//!
//! A directory checks neither the sender nor the key: the session has already decided that the
//! request is for the sender's own id, and whether the sender may replace a key ([`Replacement`]);
//! the rule is [`securecall_core::directory::decide`]. Sessions cannot list or delete records: only
//! operators can, who have access to the data folder anyway. A directory logs neither ids nor keys.
//! Above all, it never acknowledges a registration before the record would survive a power cut, and
//! never blocks a session on a disk.
//!
//! Every backend passes the suite in `conformance`. A new one implements [`Directory`] and adds one
//! line there.

mod embedded;
mod import;
mod record;

#[cfg(test)]
mod conformance;

use std::pin::Pin;

pub(crate) use embedded::create;
pub use embedded::{Embedded, Export, OpenError, Page, QUEUE_LENGTH};
pub use import::{Conflicts, Import, ImportError, Imported};
pub use record::{Record, RecordError};
pub use securecall_core::directory::{Creation, Replacement, Terms};

/// The later answer to a request.
///
/// The request is in progress when the method returns, whether or not the answer is polled.
/// Dropping the answer does not cancel it.
pub type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'static>>;

/// Storage for public keys.
///
/// Ids and keys are stored unchanged: the caller has checked their form and length. A key is a raw
/// JSON string and is returned byte for byte.
pub trait Directory: Send + Sync + 'static {
    /// Returns the key of `id`, or `None` if there is no record.
    ///
    /// It is at least as new as every registration that was answered before this call.
    fn lookup(&self, id: &str) -> Answer<Option<Box<str>>, Unavailable>;

    /// Registers `key` for `id`, unless it is registered already.
    ///
    /// The answer comes when the record is durable. Requests for one id take effect one after
    /// another, and each sees the result of the one before.
    fn register(&self, id: &str, key: &str, terms: Terms) -> Answer<Registered, RegisterError>;

    /// Returns the number of committed records, and the bound.
    fn records(&self) -> Records;

    /// Returns true if requests will probably get `Unavailable`. Does not block.
    fn is_failing(&self) -> bool;
}

/// The number of records and its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records {
    /// The number of records.
    pub count: u64,
    /// The bound.
    pub max: u64,
}

/// The result of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The id had no record.
    Created,
    /// The record already held this key. Its owner did not change.
    Kept,
    /// Another key was replaced.
    Replaced,
}

/// The directory cannot answer now: its queue is full or its storage fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the directory cannot answer for now")]
pub struct Unavailable;

/// The reason why a key was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The id has another key, and the client may not replace it (`KEY_PINNED`).
    #[error("the id has another key")]
    Pinned,
    /// The id has no key, and the client may not create one now (`RATE_LIMITED`).
    #[error("no new record may be made from there now")]
    NotCreated,
    /// The id has no key, and the directory is full (`UNAVAILABLE`).
    #[error("the directory is full")]
    Full,
    /// Unknown whether the key was registered: a commit that fails may still have reached the disk.
    /// A retry is safe, since the same key is then found (`UNAVAILABLE`).
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
