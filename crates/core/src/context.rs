//! The inputs of a decision besides its own state.

use std::time::Duration;

use securecall_protocol::{MessageClass, MessageRates};

use crate::call_id::{CallIdKey, Nonce};
use crate::directory::ReplacePolicy;
use crate::envelope;
use crate::time::{Instant, UnixTime};
use crate::turn::Turn;
use securecall_protocol::Rate;

/// The world around one decision: the time, the configuration, fresh randomness.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Now, on the clock that deadlines are measured with.
    pub now: Instant,
    /// Now, on the wall clock.
    pub unix: UnixTime,
    /// The operator's settings.
    pub config: &'a Config,
    /// Draws a nonce that was never drawn before.
    pub nonce: &'a dyn Fn() -> Nonce,
}

/// The operator's settings, as far as decisions depend on them.
pub struct Config {
    /// Bounds and deadlines of calls.
    pub calls: CallLimits,
    /// Bounds and deadlines of a connection.
    pub connection: ConnectionLimits,
    /// Seals and opens call ids.
    pub call_ids: CallIdKey,
    /// Issues relay credentials. `None`: no TURN is configured, and messages carry no `iceServers`.
    pub turn: Option<Turn>,
    /// The rule for replacing a key in the directory.
    pub replace_key: ReplacePolicy,
    /// The longest public key, in bytes of JSON without the quotes.
    pub key_bytes_max: usize,
}

/// The bound of calls of one caller that ring at a session at once: one, and its next attempt after
/// that was lost.
pub const UNANSWERED_PER_CALLER_MAX: usize = 2;

/// Bounds and deadlines of calls.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// The time for which a call rings. Then it ends, and both clients are notified.
    pub ring_timeout: Duration,
    /// The time in which a client that lost its connection may come back.
    pub grace: Duration,
    /// The bound of calls that a session takes part in at once, without those that ring there; one
    /// more finds it busy.
    pub per_session_max: usize,
    /// The bound of calls that ring at a session at once, of one caller
    /// [`UNANSWERED_PER_CALLER_MAX`]; one more finds it busy.
    pub unanswered_max: usize,
    /// The bound of bytes that a session keeps: of messages that are deferred, or that a client of
    /// dialect 2 has not acknowledged.
    pub waiting_bytes_max: usize,
    /// The bound of such messages.
    pub waiting_count_max: usize,
    /// The time for which a message that is not acknowledged is kept, while its client is connected.
    pub waiting_age_max: Duration,
}

/// Bounds and deadlines of a connection.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// The largest message that is taken, in bytes.
    pub message_bytes_max: usize,
    /// The time in which a connection must REGISTER.
    pub register_timeout: Duration,
    /// The time of silence after which the server sends a ping.
    pub ping_after: Duration,
    /// The time of the client's silence after which the server closes.
    pub silence_timeout: Duration,
    /// The rate of [`MessageClass::Calls`].
    pub calls: Rate,
    /// The rate of [`MessageClass::Hangups`].
    pub hangups: Rate,
    /// The rate of [`MessageClass::Candidates`] and [`MessageClass::Acks`], each by itself.
    pub candidates: Rate,
    /// The rate of [`MessageClass::Directory`].
    pub directory: Rate,
    /// The rate of [`MessageClass::Other`].
    pub other: Rate,
}

impl ConnectionLimits {
    /// The rate of a class of messages.
    pub fn rate(&self, class: MessageClass) -> Rate {
        match class {
            MessageClass::Calls => self.calls,
            MessageClass::Hangups => self.hangups,
            MessageClass::Candidates | MessageClass::Acks => self.candidates,
            MessageClass::Directory => self.directory,
            MessageClass::Other => self.other,
        }
    }

    /// The rates of all classes.
    pub fn rates(&self) -> MessageRates {
        MessageRates::from_fn(|class| self.rate(class))
    }
}

impl Config {
    /// The longest opaque field that is passed on, in bytes of JSON without the quotes: with the
    /// longest [`envelope`] around it, it is no longer than what is taken.
    pub fn opaque_bytes_max(&self) -> usize {
        let ice_servers_bytes = self.turn.as_ref().map_or(0, Turn::ice_servers_bytes_max);
        envelope::opaque_bytes_max(self.connection.message_bytes_max, ice_servers_bytes)
    }
}
