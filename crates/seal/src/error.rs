//! Errors, and whose fault each is.

use crate::{CALL_ID_BYTES_MAX, ClockOffset, MESSAGES_MAX, TEXT_BYTES_MAX};

/// Why something was not sealed or not opened. It holds nothing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The application: this is no client id.
    #[error("a client id has 1 to 64 characters of a-zA-Z0-9_-")]
    InvalidClientId,
    /// The application: this is no call id.
    #[error("a call id has 1 to {CALL_ID_BYTES_MAX} bytes")]
    InvalidCallId,
    /// The application: both ends would be the same client.
    #[error("a client does not call itself")]
    SelfCall,
    /// The application: the text, of this many bytes, is over [`TEXT_BYTES_MAX`].
    #[error("a sealed text has at most {TEXT_BYTES_MAX} bytes, not {0}")]
    TextTooLong(usize),
    /// The application: one direction of a call carries [`MESSAGES_MAX`] messages, not more.
    #[error("this call has sealed {MESSAGES_MAX} messages: start another one")]
    Exhausted,

    /// Keys: the directory's answer is no directory key.
    #[error("not a directory key")]
    KeyMalformed,
    /// Keys: the directory key has a version that this program does not know.
    #[error("directory key of version {0}: a newer program is needed")]
    KeyVersion(u8),
    /// Keys: the directory answered with a key that was made for another client.
    #[error("the directory key is another client's")]
    KeyOfAnotherClient,
    /// Keys: the directory key's own signature does not verify.
    #[error("the directory key is not signed by the identity it names")]
    KeyNotSelfSigned,
    /// Keys: nothing can be sealed to this key, it gives no secret (RFC 7748 section 6.1).
    #[error("the directory key holds a public key that gives no secret")]
    KeyUnusable,
    /// Keys: sealed with another directory key of the peer than the one at hand. Look it up again;
    /// if its identity has changed, notify the user.
    #[error("sealed with another directory key of the caller: look it up again")]
    PeerKeyChanged,
    /// Keys: sealed to another directory key of our own than the one in use.
    #[error("sealed to another directory key of ours: the caller must look it up again")]
    OwnKeyChanged,

    /// The relay, or the peer's program: not a sealed message, or not all of one.
    #[error("not a sealed message")]
    Malformed,
    /// The peer: it uses a version of sealing that this program does not know.
    #[error("sealed with version {0}: a newer program is needed")]
    UnknownVersion(u8),
    /// The relay: a sealed message of another type than the one that belongs here.
    #[error("a sealed message of another type")]
    UnexpectedType,
    /// The peer: the suite is not the best one that both directory keys list.
    #[error("sealed with another suite than the best one that both keys list")]
    WrongSuite,
    /// The relay: our own message came back.
    #[error("a message of our own came back")]
    Reflected,
    /// The relay: an offer or message that was here before, or one older than the last.
    #[error("a message that was here before, or one that was overtaken")]
    Replayed,
    /// The offer is dated more than [`OFFER_AGE_MAX`](crate::OFFER_AGE_MAX) off our clock. One of
    /// the two clocks is wrong; or, if it is behind, the relay delayed the offer.
    #[error("the offer is dated {0} our clock: one of the two clocks is wrong{doubt}", doubt = .0.doubt())]
    Stale(ClockOffset),
    /// The peer: offers of that time are not remembered any more, because it has made more than
    /// [`OFFERS_PER_CALLER_MAX`](crate::OFFERS_PER_CALLER_MAX) since, or because our own clock was
    /// set back. This one may have been here before.
    #[error("offers of that time are not remembered any more: the caller must call again")]
    Forgotten,
    /// Peers: the table of callers of the last minutes is full. Callers that the program knows are
    /// not affected by strangers.
    #[error("too many callers in the last minutes: call again later")]
    TooManyCallers,
    /// The relay: an answer to another offer.
    #[error("an answer to another offer")]
    OtherOffer,
    /// The relay: it was changed on the way, or it belongs to another call, or another one made it.
    #[error("not authentic: changed on the way, of another call, or made by somebody else")]
    NotAuthentic,
    /// The peer: authentic, but not as this protocol lays it out.
    #[error("authentic, but not laid out as it must be")]
    Content,
    /// The peer: what it opened is not what its offer committed to.
    #[error("the caller opened another value than it committed to")]
    BrokenCommitment,
}

/// The party at fault for an [`Error`], from which a program knows whom to notify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The program that uses this crate.
    Application,
    /// A directory key: look it up again, and warn the user when it really is another one.
    Keys,
    /// The peer's program.
    Peer,
    /// The server or the network in between: the message was changed, repeated, delayed or
    /// misdelivered.
    Relay,
}

impl Error {
    /// The party at fault. A peer that lies about its keys cannot be distinguished from a relay.
    pub const fn fault(self) -> Fault {
        match self {
            Self::InvalidClientId
            | Self::InvalidCallId
            | Self::SelfCall
            | Self::TextTooLong(_)
            | Self::Exhausted => Fault::Application,
            Self::KeyMalformed
            | Self::KeyVersion(_)
            | Self::KeyOfAnotherClient
            | Self::KeyNotSelfSigned
            | Self::KeyUnusable
            | Self::PeerKeyChanged
            | Self::OwnKeyChanged => Fault::Keys,
            Self::UnknownVersion(_)
            | Self::WrongSuite
            | Self::Content
            | Self::BrokenCommitment
            | Self::Forgotten
            | Self::TooManyCallers => Fault::Peer,
            Self::Malformed
            | Self::UnexpectedType
            | Self::Reflected
            | Self::Replayed
            | Self::Stale(_)
            | Self::OtherOffer
            | Self::NotAuthentic => Fault::Relay,
        }
    }
}
