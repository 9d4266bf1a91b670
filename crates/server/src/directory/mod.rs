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

mod chains;
mod embedded;
mod import;
mod record;

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod identities;

use std::pin::Pin;

use securecall_identity::{Id, Link};
use serde::{Deserialize, Serialize};

pub use chains::{
    CHAIN_PAGE_LINKS, ChainPage, ChainQuery, ExtendError, Extended, HeadChange, HeadWatcher,
    PublishError, Published, Standing,
};
pub(crate) use embedded::create;
pub use embedded::{Embedded, Export, OpenError, Page, PendingReset, QUEUE_LENGTH};
pub use import::{ConflictOf, Conflicts, Import, ImportError, Imported};
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

    /// Adds a link to the chain of its id, unless it is there already.
    ///
    /// A link carries its own authority, whoever brings it; but an inception may come only from a
    /// connection that has proved itself by that inception, which the caller sees to. The answer
    /// comes when the link is durable, [`Directory::standing`] has it, and watchers were called. A
    /// retry is safe.
    fn extend(&self, link: Link, creation: Creation) -> Answer<Extended, ExtendError>;

    /// Publishes a bundle under the present head of an id. The caller has it from a connection that
    /// has proved itself for that head.
    fn publish(&self, id: &Id, bundle: &[u8]) -> Answer<Published, PublishError>;

    /// Returns a part of the chain of `id`, or `None` if it has none. As new as [`Directory::lookup`].
    fn chain(&self, id: &str, query: ChainQuery) -> Answer<Option<ChainPage>, Unavailable>;

    /// Returns the committed standing of `id`. Does not block, and is right while the storage fails.
    fn standing(&self, id: &str) -> Standing;

    /// Calls `watcher` for each new head, from now on.
    fn watch(&self, watcher: HeadWatcher);

    /// Returns the number of committed records, and the bound. A key is one, and a chain is one.
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

/// The result of an operator's reset of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reset {
    /// The key was removed.
    Done,
    /// The id had no key, or was reset already.
    Nothing,
    /// The id is bound, and the reset is pending.
    Pending {
        /// The time that is left.
        seconds: u64,
    },
    /// The id certifies itself: only its own keys change it.
    Certified,
    /// The owner has ended the id for good.
    Ended,
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
