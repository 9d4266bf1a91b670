//! Why the client does not do what it was asked to.

use securecall_protocol::ErrorCode;
use securecall_seal as seal;

use crate::{Disconnect, KeyChange, Stop};

/// Why a request of the application came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The application: the call is over, or never was.
    #[error("there is no such call (any more)")]
    NoSuchCall,
    /// The application: not at this moment of the call, such as accepting one's own.
    #[error("not at this moment of the call")]
    WrongMoment,
    /// The application: too much waits to be sent already. Nothing was taken; wait.
    #[error("too much waits to be sent already")]
    TooMuchWaits,
    /// The application: more bytes than the server takes in one message.
    #[error("longer than the server takes")]
    TooLong,
    /// At a server of dialect 1 one call after the other is begun: it names a call only when the
    /// callee has answered.
    #[error("this server begins one call at a time: wait until the other one is answered")]
    OneCallAtATime,

    /// The peer: there is no key of it in the directory, so nothing can be sealed for it. It never
    /// was there, or uses a program that does not seal.
    #[error("the directory has no key of that client")]
    NoKey,
    /// The peer's key is not the one remembered: a new device, or somebody in between. Ask the
    /// user, then [`Client::trust`](crate::Client::trust) the present key, or do not call.
    #[error("the directory has another key of that client than the one remembered")]
    KeyChanged(Box<KeyChange>),
    /// Known keys: as many are remembered of this server as can be. Nothing was changed.
    #[error("no further key can be remembered: forget some first")]
    TooManyKeys,
    /// Sealing: [`seal::Error::fault`] tells whose fault it is.
    #[error(transparent)]
    Seal(#[from] seal::Error),

    /// The server refused it.
    #[error("the server refused it ({}): {message}", code.as_str())]
    Refused {
        /// Which rule.
        code: ErrorCode,
        /// In words, for the developer.
        message: String,
    },
    /// The client is not registered in the time that it was given. It goes on trying.
    #[error("not registered in time: {}", in_words(.cause.as_ref()))]
    NotRegistered {
        /// Why the last attempt came to nothing: a wrong port, path or scheme shows here. `None`:
        /// the first attempt is still under way.
        cause: Option<Disconnect>,
    },
    /// There was no answer in time. The client goes on trying to reach the server.
    #[error("no answer in time")]
    TimedOut,
    /// The client has stopped for good.
    #[error("stopped: {0}")]
    Stopped(Stop),
}

fn in_words(cause: Option<&Disconnect>) -> String {
    cause.map_or_else(|| "no answer from the server".to_owned(), Disconnect::to_string)
}
