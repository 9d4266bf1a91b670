//! The public-key directory: one key per client id, kept across restarts.
//!
//! A directory does not ask who writes and does not look into keys: the session has already decided
//! that the request is for the sender's own id and whether it has a claim to replace a key
//! ([`Replacement`]), and the rule is [`securecall_core::directory::decide`]. To sessions it lists
//! nothing and deletes nothing: only operators can, who have the data folder anyway. It logs
//! neither ids nor keys. Above all it never says "registered" before the record would survive a
//! power cut, and never keeps a session waiting for a disk.
//!
//! Every backend passes the suite in `conformance`; a new one implements [`Directory`] and adds one
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
pub use embedded::{Embedded, Export, OpenError, Page, QUEUE_LENGTH, WaitingReset};
pub use import::{ConflictOf, Conflicts, Import, ImportError, Imported};
pub use record::{Record, RecordError};
pub use securecall_core::directory::{Creation, Replacement, Terms};

/// The answer to a request, some time later.
///
/// The request is under way when the method returns, polled or not; dropping the answer does not
/// take it back.
pub type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'static>>;

/// A place that keeps public keys.
///
/// Ids and keys are taken as they come: the caller has checked their form and length. A key is a
/// raw JSON string and comes back byte for byte.
pub trait Directory: Send + Sync + 'static {
    /// The key under `id`; `None` if there is no record.
    ///
    /// It is at least as new as every registration that was answered before this call.
    fn lookup(&self, id: &str) -> Answer<Option<Box<str>>, Unavailable>;

    /// Registers `key` under `id`, or finds it registered.
    ///
    /// The answer comes when the record is durable. Requests for one id take effect one after
    /// another, each seeing the one before.
    fn register(&self, id: &str, key: &str, terms: Terms) -> Answer<Registered, RegisterError>;

    /// Adds a link to the chain of its id, or finds it there.
    ///
    /// A link carries its own authority, whoever brings it; but an inception may come only from a
    /// connection that has proved itself by that inception, which the caller sees to. The answer
    /// comes when the link is durable, [`Directory::standing`] has it, and watchers were told. The
    /// same link again is safe.
    fn extend(&self, link: Link, creation: Creation) -> Answer<Extended, ExtendError>;

    /// Publishes a bundle under the present head of an id. The caller has it from a connection that
    /// has proved itself for that head.
    fn publish(&self, id: &Id, bundle: &[u8]) -> Answer<Published, PublishError>;

    /// A part of the chain of `id`; `None` if it has none. As new as [`Directory::lookup`].
    fn chain(&self, id: &str, query: ChainQuery) -> Answer<Option<ChainPage>, Unavailable>;

    /// What `id` demands of whoever registers with it, as far as commits are through. Does not wait,
    /// and is right while the storage fails.
    fn standing(&self, id: &str) -> Standing;

    /// Calls `watcher` for each new head, from now on.
    fn watch(&self, watcher: HeadWatcher);

    /// How many records there are, as far as commits are through, and how many there may be. A key
    /// is one, and a chain is one.
    fn records(&self) -> Records;

    /// Returns `true` while requests are likely to be answered `Unavailable`. Does not wait.
    fn is_failing(&self) -> bool;
}

/// Numbers of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records {
    /// There are.
    pub count: u64,
    /// There may be.
    pub max: u64,
}

/// How a key came to be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The id had no record.
    Created,
    /// The record already held this key. Whoever asked did not become its owner.
    Kept,
    /// Another key was there before.
    Replaced,
}

/// What became of an operator's reset of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reset {
    /// The key was removed.
    Done,
    /// The id had no key, or was reset already.
    Nothing,
    /// The id is bound: the reset waits for so much time to be counted.
    Waits {
        /// The time that is left.
        seconds: u64,
    },
    /// The id certifies itself: only its own keys change it.
    Certified,
    /// The owner has ended the id for good.
    Ended,
}

/// The directory cannot answer for now: its queue is full or its storage fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the directory cannot answer for now")]
pub struct Unavailable;

/// Why a key was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The id has another key, and the client no claim to replace it (`KEY_PINNED`).
    #[error("the id has another key")]
    Pinned,
    /// The id has none, and whoever asks may make no new record now (`RATE_LIMITED`).
    #[error("no new record may be made from there now")]
    NotCreated,
    /// The id has none, and the directory has as many records as it may have (`UNAVAILABLE`).
    #[error("the directory is full")]
    Full,
    /// Not known whether the key was registered: a commit that fails may still have reached the
    /// disk. Asking again is safe, since the same key is simply found there (`UNAVAILABLE`).
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
