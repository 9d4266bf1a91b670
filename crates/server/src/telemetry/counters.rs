//! The server's counters, and the corresponding log lines of level debug. Neither contains
//! identities.
//!
//! Each worker counts in its own shard, on its own cache lines, so that counting costs the same on
//! one core and on sixty. A scrape adds the shards.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use securecall_core::{Outcome, Step};
use securecall_protocol::{CloseCode, ErrorCode, MessageType, ServerMessage};

use crate::admission::refused::Refused;

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(0) };
}

/// All counters.
#[derive(Debug)]
pub(crate) struct Counters {
    shards: Box<[Shard]>,
}

/// The counters of one worker.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    messages: [AtomicU64; MessageType::ALL.len()],
    errors: [AtomicU64; ErrorCode::ALL.len()],
    closes: [AtomicU64; CloseCode::ALL.len()],
    mail: [AtomicU64; OUTCOMES.len()],
    calls: AtomicI64,
    accepted: AtomicU64,
    refused: [AtomicU64; Refused::ALL.len()],
    handshakes: [AtomicU64; Handshake::ALL.len()],
}

/// All delivery results, with their names in metrics.
pub(crate) const OUTCOMES: [(Outcome, &str); 8] = [
    (Outcome::Delivered, "delivered"),
    (Outcome::Offline, "offline"),
    (Outcome::Busy, "busy"),
    (Outcome::NoSuchCall, "no_such_call"),
    (Outcome::Full, "full"),
    (Outcome::Glare, "glare"),
    (Outcome::NotUnderstood, "not_understood"),
    (Outcome::Unavailable, "unavailable"),
];

/// The result of a TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// Completed with a signature.
    Full,
    /// Resumed with the ticket of an earlier connection.
    Resumed,
    /// The client did not speak TLS, shared no parameters with us, or left.
    Failed,
    /// Not completed in time.
    TimedOut,
}

impl Handshake {
    pub(crate) const ALL: [Self; 4] = [Self::Full, Self::Resumed, Self::Failed, Self::TimedOut];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Resumed => "resumed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
        }
    }
}

/// Adds one. Only the worker of a shard writes to it, so load and store need not be one atomic
/// step.
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn new(workers: usize) -> Self {
        Self { shards: (0..workers.max(1)).map(|_| Shard::default()).collect() }
    }

    /// Makes this thread use the shard of that worker.
    pub(crate) fn use_shard(worker: usize) {
        SHARD.set(worker);
    }

    /// Counts a message by its result.
    pub(crate) fn step(&self, step: &Step<'_>) {
        let message_type = match step {
            Step::Register { .. } => MessageType::Register,
            Step::Ack { .. } => MessageType::Ack,
            Step::Call { message, .. } => message.message_type(),
            Step::PkdRegister { .. } => MessageType::PkdRegister,
            Step::PkdLookup { .. } => MessageType::PkdLookup,
            Step::Reply(reply) => match reply.message {
                ServerMessage::HeartbeatAck => MessageType::Heartbeat,
                ServerMessage::TurnCredentials { .. } => MessageType::TurnCredentials,
                // An ERROR is counted when it is sent.
                _ => return,
            },
        };
        count(&self.shard().messages[message_type as usize]);
    }

    pub(crate) fn error(&self, code: ErrorCode) {
        tracing::debug!(code = code.as_str(), "a request was refused");
        count(&self.shard().errors[code as usize]);
    }

    /// Counts a connection that ends with this close code, unless it was closed before.
    pub(crate) fn closed(&self, code: CloseCode, closed: bool) {
        if closed {
            tracing::debug!(code = code.code(), "a connection closes");
        }
        if closed {
            count(&self.shard().closes[code as usize]);
        }
    }

    pub(crate) fn mail(&self, outcome: Outcome) {
        count(&self.shard().mail[outcome as usize]);
    }

    pub(crate) fn accepted(&self) {
        tracing::debug!("a connection is open");
        count(&self.shard().accepted);
    }

    pub(crate) fn refused(&self, why: Refused) {
        tracing::debug!(reason = why.as_str(), "a connection was refused");
        count(&self.shard().refused[why as usize]);
    }

    pub(crate) fn handshake(&self, how: Handshake) {
        count(&self.shard().handshakes[how as usize]);
    }

    /// Counts the change of a session's number of calls.
    pub(crate) fn calls_changed(&self, before: usize, after: usize) {
        if before != after {
            self.shard().calls.fetch_add(after as i64 - before as i64, Ordering::Relaxed);
        }
    }

    pub(crate) fn messages_total(&self, message_type: MessageType) -> u64 {
        self.sum(|shard| &shard.messages[message_type as usize])
    }

    pub(crate) fn errors_total(&self, code: ErrorCode) -> u64 {
        self.sum(|shard| &shard.errors[code as usize])
    }

    pub(crate) fn closes_total(&self, code: CloseCode) -> u64 {
        self.sum(|shard| &shard.closes[code as usize])
    }

    pub(crate) fn mail_total(&self, outcome: Outcome) -> u64 {
        self.sum(|shard| &shard.mail[outcome as usize])
    }

    pub(crate) fn accepted_total(&self) -> u64 {
        self.sum(|shard| &shard.accepted)
    }

    pub(crate) fn refused_total(&self, why: Refused) -> u64 {
        self.sum(|shard| &shard.refused[why as usize])
    }

    pub(crate) fn handshakes_total(&self, how: Handshake) -> u64 {
        self.sum(|shard| &shard.handshakes[how as usize])
    }

    /// Returns the number of calls of all sessions. A call with both ends here counts twice.
    pub(crate) fn calls(&self) -> i64 {
        self.shards.iter().map(|shard| shard.calls.load(Ordering::Relaxed)).sum()
    }

    fn shard(&self) -> &Shard {
        &self.shards[SHARD.get() % self.shards.len()]
    }

    fn sum(&self, counter: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.shards.iter().map(|shard| counter(shard).load(Ordering::Relaxed)).sum()
    }
}
