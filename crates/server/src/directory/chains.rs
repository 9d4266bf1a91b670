//! What a directory says about chains: the words of [`Directory`](super::Directory) for identities.

use std::time::Duration;

use securecall_identity::{Binding, Kind, Position, Refusal};

use super::Unavailable;

/// How many links an answer has at most: 29 KB as text.
pub const CHAIN_PAGE_LINKS: usize = 64;

/// What an id demands of whoever registers with it. It is known without a disk.
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
    /// Nobody is let in for now: whether a link was stored is not certain yet, or the id cannot be
    /// told from another one in memory.
    Unknown,
}

impl Standing {
    /// The standing after the link at `position`.
    pub(super) fn of(position: Position, binding: Binding) -> Self {
        match binding {
            Binding::Bound => Self::Bound(position.hash),
            Binding::Open => Self::Reset(position.hash),
            Binding::Ended => Self::Ended,
        }
    }
}

/// A link was stored: the id has another head.
#[derive(Clone, Copy)]
pub struct HeadChange<'a> {
    /// The id.
    pub id: &'a str,
    /// What the link does. After an import it is the newest of several.
    pub kind: Kind,
    /// The id's standing from now on.
    pub standing: Standing,
}

/// Is called for each new head, on the thread that writes: after [`Directory::standing`] has it and
/// before anybody is answered. It must be quick, and must not ask the directory to write.
///
/// [`Directory::standing`]: super::Directory::standing
pub type HeadWatcher = Box<dyn Fn(&HeadChange<'_>) + Send + Sync>;

/// How a link came to be in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extended {
    /// It is the new head.
    Added(Position),
    /// It was there already, and this is the head.
    Kept(Position),
}

/// Why a link was not added.
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
    /// Not known whether the link was added. Asking again is safe (`UNAVAILABLE`).
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// How a bundle came to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is the new one.
    Stored,
    /// It was there already.
    Kept,
}

/// Why a bundle was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The id has no chain.
    #[error("the id has no chain")]
    Unbound,
    /// It breaks a rule of bundles, or is older than the one that is there.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Not known whether it was published. Asking again is safe (`UNAVAILABLE`).
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What is wanted of a chain.
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
