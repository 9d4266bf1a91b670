//! The events of a client, and the values in them.

use std::fmt;
use std::time::Duration;

use securecall_protocol::{
    ClientId, Dialect, EndReason, ErrorCode, RejectReason, client::IceServer,
};
use securecall_seal::{self as seal, DirectoryKey, Fingerprint, ShortAuthenticationString};

use crate::Error;

/// A call, as this program names it. It means nothing to anybody else: the server's id of a call
/// is a proof of belonging to it, and stays inside the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(crate) u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}", self.0)
    }
}

/// Something happened. Calls that the application ends, rejects or accepts itself bring no event
/// about that. `Debug` prints the kind of event, and nothing of its content.
#[derive(Clone)]
#[non_exhaustive]
pub enum Event {
    /// The server knows this client, for the first time or again. Calls are as they were, except
    /// those that an [`Event::Ended`] follows for.
    Registered {
        /// The connection goes on where the last one broke off: nothing was missed. False at the
        /// first registration, and when the server could not keep everything. What was sent to
        /// this client may then be lost: restart ICE in running calls that do not connect.
        resumed: bool,
        /// The dialect of the server. In dialect 1 there is no [`Event::Ringing`], no signal, and a
        /// call ends without a reason.
        dialect: Dialect,
    },
    /// The server does not take this client's directory key: it holds another one for this id
    /// ([`ErrorCode::KeyPinned`]), or cannot keep one now ([`ErrorCode::Unavailable`]), which is
    /// tried again and reported once. Nobody can call this client until that is settled.
    KeyRefused {
        /// The cause.
        code: ErrorCode,
    },
    /// There is no connection for now. The client connects again by itself.
    Disconnected {
        /// The cause.
        cause: Disconnect,
        /// After how long it tries again.
        retry_in: Duration,
    },
    /// The client is stopped for good. The last event.
    Stopped(Stop),

    /// Somebody calls: [`Client::accept`](crate::Client::accept) or
    /// [`Client::reject`](crate::Client::reject). The offer is authentic, fresh, and for us.
    Incoming {
        /// The new call.
        call: CallId,
        /// The caller.
        caller: ClientId,
        /// The caller's SDP.
        offer: String,
        /// Relays for this call; empty if the server has no TURN servers.
        ice_servers: Vec<IceServer>,
        /// Of the caller's identity.
        fingerprint: Fingerprint,
        /// Nothing was remembered about the caller. Accepting the call remembers the key, so
        /// compare fingerprints or digits.
        first_contact: bool,
        /// The call with the same identity whose place this one takes. `None`: there is none.
        ///
        /// Either it is over, because both called each other at once ([`EndReason::Glare`]): accept
        /// this one as the answer to it. Or it is a running call to which the caller has lost its
        /// end, for it made this offer after it: accept this one, and
        /// [end](crate::Client::end) the other unless it is known to be alive.
        replaces: Option<CallId>,
    },
    /// Somebody's key in the directory is not the one remembered: a new device, or somebody in
    /// between. The call waits. [`Client::trust`](crate::Client::trust) lets it ring,
    /// [`Client::reject`](crate::Client::reject) does not.
    KeyChanged {
        /// The call that waits.
        call: CallId,
        /// Both keys.
        change: Box<KeyChange>,
    },
    /// Somebody seemed to call, and it does not ring: the offer was changed, forged, old or
    /// repeated, or its maker's key cannot be had. If a clock is wrong, it is
    /// [`seal::Error::Stale`], and the caller gets [`RejectReason::Clock`].
    OfferRefused {
        /// The client that seems to have called.
        caller: ClientId,
        /// The fault.
        why: Error,
    },
    /// The callee's device alerts.
    Ringing {
        /// Which call.
        call: CallId,
    },
    /// The callee answered. The answer is authentic.
    Accepted {
        /// Which call.
        call: CallId,
        /// The callee's SDP.
        answer: String,
        /// Relays for this call; empty if the server has no TURN servers.
        ice_servers: Vec<IceServer>,
        /// For the people at both ends to compare.
        digits: Option<ShortAuthenticationString>,
        /// Of the callee's identity.
        fingerprint: Fingerprint,
        /// Nothing was remembered about the callee before this call.
        first_contact: bool,
    },
    /// The digits for the people at both ends to compare are known now. (The callee's end; the
    /// caller knows them with [`Event::Accepted`].)
    Digits {
        /// Which call.
        call: CallId,
        /// Both ends must have the same.
        digits: ShortAuthenticationString,
    },
    /// A candidate of the other end.
    Candidate {
        /// Which call.
        call: CallId,
        /// As the other end gave it.
        candidate: String,
    },
    /// A signal of the other end: an ICE restart, mute.
    Signal {
        /// Which call.
        call: CallId,
        /// As the other end gave it.
        signal: String,
    },
    /// A candidate or signal did not open and is ignored. [`seal::Error::Replayed`] is usual
    /// after a reconnect, when the other end repeats what may have been lost; anything else says
    /// that somebody interferes.
    MessageRefused {
        /// Which call.
        call: CallId,
        /// The fault.
        error: seal::Error,
    },
    /// Messages of the other end are lost. Where signals matter, ask again.
    MessagesMissed {
        /// Which call.
        call: CallId,
        /// Their number.
        count: u64,
    },
    /// A signal was not taken: the other end speaks dialect 1, or its program has begun anew.
    SignalRefused {
        /// Which call.
        call: CallId,
    },
    /// The call is over.
    Ended {
        /// Which call.
        call: CallId,
        /// The cause.
        reason: Ending,
    },
    /// A call has come about with somebody whose key is not remembered, because as many are as can
    /// be. Another key next time would not show.
    KeyNotRemembered {
        /// The client with that key.
        client_id: ClientId,
    },
    /// The file of remembered keys could not be read or written, because of this. What is
    /// remembered counts until the program ends, and the next save tries again.
    KeysNotSaved(String),
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, call) = match self {
            Self::Registered { resumed, dialect } => {
                return write!(f, "Registered(resumed: {resumed}, {dialect:?})");
            }
            Self::KeyRefused { code } => return write!(f, "KeyRefused({code:?})"),
            Self::Disconnected { cause, retry_in } => {
                return write!(f, "Disconnected({cause:?}, again in {retry_in:?})");
            }
            Self::Stopped(stop) => return write!(f, "Stopped({stop:?})"),
            Self::OfferRefused { why, .. } => return write!(f, "OfferRefused({why:?})"),
            Self::MessageRefused { call, error } => {
                return write!(f, "MessageRefused({call}, {error:?})");
            }
            Self::MessagesMissed { call, count } => {
                return write!(f, "MessagesMissed({call}, {count})");
            }
            Self::Ended { call, reason } => return write!(f, "Ended({call}, {reason:?})"),
            Self::KeyNotRemembered { .. } => return f.write_str("KeyNotRemembered"),
            Self::KeysNotSaved(_) => return f.write_str("KeysNotSaved"),
            Self::Incoming { call, .. } => ("Incoming", call),
            Self::KeyChanged { call, .. } => ("KeyChanged", call),
            Self::Ringing { call } => ("Ringing", call),
            Self::Accepted { call, .. } => ("Accepted", call),
            Self::Digits { call, .. } => ("Digits", call),
            Self::Candidate { call, .. } => ("Candidate", call),
            Self::Signal { call, .. } => ("Signal", call),
            Self::SignalRefused { call } => ("SignalRefused", call),
        };
        write!(f, "{name}({call})")
    }
}

/// Somebody's key in the directory, and the one remembered.
#[derive(Clone)]
pub struct KeyChange {
    /// The client with this key.
    pub client_id: ClientId,
    /// The fingerprint remembered.
    pub remembered: String,
    /// The key in the directory now.
    pub present: DirectoryKey,
}

impl fmt::Debug for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyChange")
    }
}

/// Why a call is over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The callee declined, is busy, or finds that the clocks of the two differ
    /// ([`RejectReason::Clock`]). The server passes the reason on, and nobody has sealed it.
    Rejected(RejectReason),
    /// The server's reason. After [`EndReason::Glare`] the other end's call rings here:
    /// [`Event::Incoming`] names this one in `replaces`. [`EndReason::Timeout`] also if nobody
    /// answered and the server does not say so; [`EndReason::Unreachable`] also if the server knows
    /// the call no more.
    Ended(EndReason),
    /// It is over, and the server (of dialect 1) gives no reason.
    Unexplained,
    /// The callee is not connected.
    NotConnected,
    /// The server refused the call.
    Refused(ErrorCode),
    /// The answer is not the callee's, or cannot be read: somebody interferes.
    Interference(seal::Error),
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The server closed with this code.
    #[error("the server closed the connection with {0}")]
    Closed(u16),
    /// The connection broke, or was never open: in words.
    #[error("{0}")]
    Network(String),
    /// The server answered with HTTP instead of a WebSocket.
    #[error("the server answered with HTTP status {0}")]
    Http(u16),
    /// The server answered with an HTTP redirect. It is not followed: keys are known of one server,
    /// and what redirects may be anybody on the way. Give the new address if it is the right one.
    #[error("the server redirects to {to}, and redirects are not followed: give that address")]
    Redirected {
        /// The target.
        to: String,
    },
    /// `wss://` was given, and the port speaks no TLS.
    #[error("this port speaks no TLS, which wss:// needs: an address without TLS is ws://")]
    NoTls,
    /// `ws://` was given, and the port speaks TLS.
    #[error("this port speaks TLS, which ws:// is without: an address with TLS is wss://")]
    TlsPort,
    /// The server's certificate is one that may only sign others (`CA:TRUE`).
    #[error(
        "the server shows the certificate of an authority (CA:TRUE) as its own, which this \
         client and some others do not accept: it needs one with CA:FALSE"
    )]
    AuthorityCertificate,
    /// This machine does not trust the server's certificate: in words.
    #[error("this machine does not trust the certificate: {0}")]
    Untrusted(&'static str),
    /// The server answered with a page of HTTP, at an address that does not end in `/signal`.
    #[error(
        "the server answered with HTTP status {0}: the address ends in /signal, unless a proxy renames it"
    )]
    NotSignal(u16),
    /// Nothing came from the server, neither a pong nor anything else.
    #[error("the server is silent")]
    Silent,
    /// The server left out a message, by the numbers of those that came. The next connection asks
    /// for it; where that comes to nothing the client begins anew ([`Event::Registered`], not
    /// resumed).
    #[error("the server left a message out")]
    MessageMissing,
    /// The server did not take the registration for now.
    #[error("the server did not register this client")]
    NotRegistered,
    /// [`Client::network_changed`](crate::Client::network_changed).
    #[error("the network changed")]
    NetworkChanged,
    /// A call was cancelled at a server of dialect 1, which takes a new connection.
    #[error("a call was cancelled")]
    CallCancelled,
}

/// Why the client has stopped for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Stop {
    /// The application closed or dropped it.
    #[error("the client was closed")]
    Here,
    /// 4001: another connection registered this id.
    #[error("another device or program registered this id")]
    Superseded,
    /// The server closed with a code that means "stay away": one of 4000–4099.
    #[error("the server closed the connection with {0}, for good")]
    Closed(u16),
    /// The server does not take this client's registration.
    #[error("the server refused the registration: {}", .0.as_str())]
    Refused(ErrorCode),
}
