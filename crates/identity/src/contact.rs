//! The judgement of a contact's chain, by what the client knew of the contact before.
//!
//! A directory can withhold links, show old ones, or show two people different chains. What it
//! cannot do is sign. So every difference to what was known has one of the names here, and each
//! name one consequence.

use crate::{Chain, Fingerprint, Id, Kind, Link, Position, PublicKey};

/// The client's knowledge of a contact.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// Nothing: a first call.
    Nothing,
    /// A fingerprint, from a link or a QR code.
    Fingerprint(&'a Fingerprint),
    /// The identity key of a contact that had no chain yet.
    Key(&'a PublicKey),
    /// The newest link of its chain.
    Position(&'a Position),
}

/// The directory's answer. A chain was verified before, or is no answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// No chain.
    NoChain,
    /// A chain, whole.
    Chain(&'a Chain),
}

/// The difference between the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The contact has no chain, and no chain is known: its id is not protected.
    NoIdentity,
    /// A first call to a plain id: whose it is, the directory only claims.
    FirstContact,
    /// A first call; the id or the fingerprint proves whose chain it is.
    Verified,
    /// The same newest link as before.
    Unchanged,
    /// The contact's known key began a chain.
    Bound,
    /// The contact changed its identity key this many times, each time with the key before.
    Rotated(usize),
    /// The contact took its id back this many times with a recovery key; there may be rotations
    /// too.
    Recovered(usize),
    /// An operator reset the id, and a new chain has begun.
    KeyChanged {
        /// True if the reset names the newest link that was known. If not, links were missed, or
        /// the directory invented another past.
        names_known_head: bool,
    },
    /// An operator reset the id, and it has no owner.
    Released,
    /// Another identity than the link or QR code named.
    OtherFingerprint,
    /// A chain of another id.
    OtherId,
    /// The contact ended the id for good.
    Ended,
    /// A chain was known, or the id demands one, and the directory showed no chain.
    ChainWithheld,
    /// An older state than the one that was known.
    RolledBack {
        /// The newest link of the chain that was shown.
        shown: Position,
    },
    /// Another link in the place of the known one. With that one it is evidence of two chains for
    /// one id.
    Forked {
        /// The link that was shown in its place.
        shown: Box<Link>,
    },
}

/// The consequence of a [`Judgement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consequence {
    /// Goes on without a word.
    GoOn,
    /// Goes on, and notifies the person.
    Tell,
    /// Goes on, and notifies the person so that it is not overlooked.
    Warn,
    /// Waits until the person has decided.
    Wait,
    /// Refuses, and saves the evidence.
    Refuse,
}

impl Judgement {
    /// The name that every implementation and the test vectors use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoIdentity => "no_identity",
            Self::FirstContact => "first_contact",
            Self::Verified => "verified",
            Self::Unchanged => "unchanged",
            Self::Bound => "bound",
            Self::Rotated(_) => "rotated",
            Self::Recovered(_) => "recovered",
            Self::KeyChanged { .. } => "key_changed",
            Self::Released => "released",
            Self::OtherFingerprint => "other_fingerprint",
            Self::OtherId => "other_id",
            Self::Ended => "ended",
            Self::ChainWithheld => "chain_withheld",
            Self::RolledBack { .. } => "rolled_back",
            Self::Forked { .. } => "forked",
        }
    }

    /// The consequence for a client.
    pub const fn consequence(&self) -> Consequence {
        match self {
            Self::NoIdentity | Self::FirstContact | Self::Verified | Self::Unchanged => {
                Consequence::GoOn
            }
            Self::Bound | Self::Rotated(_) => Consequence::Tell,
            Self::Recovered(_) => Consequence::Warn,
            Self::KeyChanged { .. } | Self::Released => Consequence::Wait,
            Self::OtherFingerprint
            | Self::OtherId
            | Self::Ended
            | Self::ChainWithheld
            | Self::RolledBack { .. }
            | Self::Forked { .. } => Consequence::Refuse,
        }
    }
}

/// Judges what the directory answered for `id`.
pub fn judge(id: &Id, known: Known<'_>, shown: Shown<'_>) -> Judgement {
    let Shown::Chain(chain) = shown else { return judge_missing(id, known) };
    if chain.head().id() != id {
        return Judgement::OtherId;
    }
    match known {
        Known::Position(position) => judge_successor(position, chain),
        Known::Fingerprint(fingerprint) => judge_fingerprint(fingerprint, chain),
        Known::Key(key) => judge_first_chain(key, chain),
        Known::Nothing => judge_first_contact(chain),
    }
}

fn judge_missing(id: &Id, known: Known<'_>) -> Judgement {
    let expected = matches!(known, Known::Position(_) | Known::Fingerprint(_));
    if expected || id.is_certified() { Judgement::ChainWithheld } else { Judgement::NoIdentity }
}

fn judge_successor(known: &Position, chain: &Chain) -> Judgement {
    let head = chain.head().position();
    if head.epoch > known.epoch {
        return judge_new_epoch(known, chain);
    }
    let at_known = chain.link(known.sequence).filter(|_| head.epoch == known.epoch);
    match at_known {
        None => Judgement::RolledBack { shown: head },
        Some(link) if link.position() != *known => {
            Judgement::Forked { shown: Box::new(link.clone()) }
        }
        Some(_) => judge_later_links(known, chain),
    }
}

fn judge_later_links(known: &Position, chain: &Chain) -> Judgement {
    let count =
        |kind| chain.since(known.sequence).iter().filter(|link| link.kind() == kind).count();
    if chain.head().is_ended() {
        return Judgement::Ended;
    }
    if count(Kind::Inception) > 0 {
        // The known link was the reset, which has no owner.
        return Judgement::KeyChanged { names_known_head: true };
    }
    match (count(Kind::Recover), count(Kind::Rotate)) {
        (0, 0) => Judgement::Unchanged,
        (0, rotations) => Judgement::Rotated(rotations),
        (recoveries, _) => Judgement::Recovered(recoveries),
    }
}

fn judge_new_epoch(known: &Position, chain: &Chain) -> Judgement {
    if chain.head().is_ended() {
        return Judgement::Ended;
    }
    if is_open(chain) {
        return Judgement::Released;
    }
    let follows = chain.head().position().epoch - known.epoch == 1;
    let named = chain.links().first().is_some_and(|reset| *reset.previous() == known.hash);
    Judgement::KeyChanged { names_known_head: follows && named }
}

fn judge_fingerprint(known: &Fingerprint, chain: &Chain) -> Judgement {
    if chain.head().fingerprint() != Some(*known) {
        return Judgement::OtherFingerprint;
    }
    if chain.head().is_ended() { Judgement::Ended } else { Judgement::Verified }
}

fn judge_first_chain(known: &PublicKey, chain: &Chain) -> Judgement {
    if chain.head().is_ended() {
        return Judgement::Ended;
    }
    if is_open(chain) {
        return Judgement::Released;
    }
    let first_key = chain.links().iter().find_map(Link::identity_key);
    let began_it = first_key == Some(*known);
    if began_it { Judgement::Bound } else { Judgement::KeyChanged { names_known_head: false } }
}

fn judge_first_contact(chain: &Chain) -> Judgement {
    if chain.head().is_ended() {
        return Judgement::Ended;
    }
    if is_open(chain) {
        return Judgement::NoIdentity;
    }
    // That the chain is this id's was checked when its inception gave it the id.
    if chain.head().id().is_certified() { Judgement::Verified } else { Judgement::FirstContact }
}

fn is_open(chain: &Chain) -> bool {
    chain.head().fingerprint().is_none()
}
