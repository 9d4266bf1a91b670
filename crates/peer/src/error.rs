//! Errors, and whose fault each is.

use serde::{Deserialize, Serialize};

use crate::channel::frame::TEXT_BYTES_MAX;

/// Why something could not be asked of a peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The other end: the text is no offer, or one without a data channel.
    #[error("not an offer of a data channel: {0}")]
    Offer(String),
    /// The other end: the text is no answer to our offer.
    #[error("not an answer to the offer: {0}")]
    Answer(String),
    /// The other end: the text is no candidate.
    #[error("not a candidate")]
    Candidate,
    /// The application: there was an answer, or this end is the one that answered.
    #[error("there is no offer without an answer")]
    NothingOffered,
    /// The configuration: the policy allows relays alone, and there is no relay.
    #[error("only relays may be used, and no TURN server is known")]
    NoRelay,
    /// The application: a text is too long.
    #[error("a text has at most {TEXT_BYTES_MAX} bytes, not {0}")]
    TextTooLong(usize),
    /// The connection is closed; [`Event::Closed`](crate::Event::Closed) has the reason.
    #[error("the connection is closed")]
    Closed,
    /// The system: no thread could be started.
    #[error("no thread could be started")]
    Thread,
}

/// A breach of the channel's protocol by the other end. The connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A text message that is not a frame.
    #[error("a message that is no frame")]
    NotAFrame,
    /// A message over the bound.
    #[error("a message that is too large")]
    TooLarge,
    /// A chunk, or the end of a file, without its beginning.
    #[error("a part of a file that was not begun")]
    NoFile,
    /// A file within a file.
    #[error("a file within a file")]
    FileWithinFile,
    /// More bytes than the file was announced with.
    #[error("more of a file than it has")]
    Overflow,
    /// An answer to a file that we have not sent, or one more than it needs.
    #[error("an answer to a file that was not sent")]
    UnexpectedVerdict,
    /// More files than can be answered.
    #[error("more files than can be answered")]
    Flood,
    /// A channel with another label, which names the version of the protocol.
    #[error("a channel of another kind")]
    OtherChannel,
    /// A second channel.
    #[error("a second channel")]
    SecondChannel,
}

/// Why the receiving end does not take a file. These words go over the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// It takes no files.
    #[error("no files are taken")]
    NotAccepted,
    /// No system has a file of this name: it is empty, or a path.
    #[error("its name is not acceptable")]
    Name,
    /// It is over the receiver's bound.
    #[error("it is too large")]
    TooLarge,
    /// With it, the receiver would have more files, or bytes of files, than it takes in all.
    #[error("no more files are taken")]
    Full,
    /// It could not be written.
    #[error("it could not be stored")]
    Storage,
    /// The size or the SHA-256 of the received file is not that of the sent one.
    #[error("it arrived changed")]
    Hash,
}

/// Why a file did not get through. The connection goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The receiving end did not take it.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The sending end gave up.
    #[error("the other end gave up sending it")]
    Cancelled,
    /// It cannot be read here, or is no file.
    #[error("it cannot be read: {0}")]
    Read(String),
    /// The receiving end did not answer in time. It may have the file.
    #[error("the other end did not confirm it in time")]
    Unanswered,
    /// It changed while it was sent.
    #[error("it changed while it was sent")]
    Changed,
}
