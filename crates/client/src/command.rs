//! The requests of the application.

use std::time::Duration;

use securecall_protocol::{ClientId, RejectReason};
use securecall_seal::DirectoryKey;
use tokio::sync::oneshot;

use crate::{CallId, Error, LookedUp, TurnCredentials};

/// The receiver of the result. It is no I/O: a place for one value.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

pub(crate) enum Command {
    Registered {
        /// `None`: as long as it takes.
        within: Option<Duration>,
        reply: Reply<()>,
    },
    Call {
        target: ClientId,
        offer: String,
        reply: Reply<CallId>,
    },
    /// The same with a key that is known already.
    CallWith {
        key: Box<DirectoryKey>,
        offer: String,
        reply: Reply<CallId>,
    },
    Accept {
        call: CallId,
        answer: String,
        reply: Reply<()>,
    },
    Reject {
        call: CallId,
        reason: RejectReason,
        reply: Reply<()>,
    },
    End {
        call: CallId,
        reply: Reply<()>,
    },
    Candidate {
        call: CallId,
        candidate: String,
        reply: Reply<()>,
    },
    Signal {
        call: CallId,
        signal: String,
        reply: Reply<()>,
    },
    Lookup {
        client_id: ClientId,
        reply: Reply<LookedUp>,
    },
    Trust {
        key: Box<DirectoryKey>,
        reply: Reply<()>,
    },
    TurnCredentials {
        reply: Reply<TurnCredentials>,
    },
    NetworkChanged,
    Close,
}
