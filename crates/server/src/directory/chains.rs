//! Requests and results of [`Directory`](super::Directory) for chains and bundles.

use std::time::Duration;

use securecall_identity::{Binding, Kind, Position, Refusal};

use super::Unavailable;

/// The bound of links in an answer: 29 KB as text.
pub const CHAIN_PAGE_LINKS: usize = 64;

/// The binding of an id, as a registration needs it. It is known without a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The id has no chain.
    Unbound,
    /// The id is bound to the identity key of the link with this hash.
    Bound([u8; 32]),
    /// The id was reset, by the link with this hash, and belongs to nobody: the next inception
    /// names that link.
    Reset([u8; 32]),
    /// The owner has ended the id: nobody registers with it any more.
    Ended,
    /// Nobody is let in now: it is unknown whether a link was stored, or the id collides with another
    /// one in memory.
    Unknown,
}

impl Standing {
    /// Returns the standing after the link at `position`.
    pub(super) fn of(position: Position, binding: Binding) -> Self {
        match binding {
            Binding::Bound => Self::Bound(position.hash),
            Binding::Open => Self::Reset(position.hash),
            Binding::Ended => Self::Ended,
        }
    }
}

/// A new head of an id.
#[derive(Clone, Copy)]
pub struct HeadChange<'a> {
    /// The id.
    pub id: &'a str,
    /// The kind of the newest link. An import may have stored several.
    pub kind: Kind,
    /// The new standing.
    pub standing: Standing,
}

/// A callback for each new head, on the thread that writes: after [`Directory::standing`] has it and
/// before the request is answered. It must not block, and must not call [`Directory::watch`].
///
/// [`Directory::standing`]: super::Directory::standing
/// [`Directory::watch`]: super::Directory::watch
pub type HeadWatcher = Box<dyn Fn(&HeadChange<'_>) + Send + Sync>;

/// The result of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extended {
    /// It is the new head.
    Added(Position),
    /// It was there already, and this is the head.
    Kept(Position),
}

/// The reason why a link was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// It breaks a rule of chains.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The id is rotated too often (`RATE_LIMITED`): this is how long to wait.
    #[error("the id was rotated too often lately")]
    TooSoon(Duration),
    /// The id has no chain, and whoever asks may make no new record now (`RATE_LIMITED`).
    #[error("no new record may be made from there now")]
    NotCreated,
    /// The id has no chain, and the directory has as many records as it may have (`UNAVAILABLE`).
    #[error("the directory is full")]
    Full,
    /// The link may have been added all the same. A retry is safe (`UNAVAILABLE`).
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The result of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is the new one.
    Stored,
    /// It was there already.
    Kept,
}

/// The reason why a bundle was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The id has no chain.
    #[error("the id has no chain")]
    Unbound,
    /// It breaks a rule of bundles, or is older than the one that is there.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It may have been published all the same. A retry is safe (`UNAVAILABLE`).
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A request for a part of a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainQuery {
    /// The hash of the newest link that is known: if it is the head, no link is sent.
    pub known: Option<[u8; 32]>,
    /// The sequence number of the first link that is wanted.
    pub from: u8,
}

/// A part of a chain's present epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct ChainPage {
    /// The newest link of all.
    pub head: Position,
    /// The id's binding, as of the newest link.
    pub binding: Binding,
    /// The KEM keys that were published for this head.
    pub bundle: Option<Box<[u8]>>,
    /// Links in their order, at most [`CHAIN_PAGE_LINKS`].
    pub links: Vec<Box<[u8]>>,
}
