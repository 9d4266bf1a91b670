//! Events at the edge of the sessions: their inputs and outputs.
//!
//! The model sees these events alone, and the trace prints them.

use std::fmt;

use securecall_core::{Departure, Outcome, UnixTime};

use crate::network::LinkId;

/// An event at the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A connection registers a client, with this REGISTER.
    Attached { link: LinkId, client: String, text: String },
    /// A client has no connection any more.
    Detached { link: LinkId, client: String, departure: Departure },
    /// A client sent its session a request about a call. A call that it begins is born at this
    /// time.
    Requested { link: LinkId, client: String, text: String, born: UnixTime },
    /// A ring has left for another session, so the call has an id.
    Rang { call: String },
    /// A client has acknowledged messages.
    Acknowledged { client: String, seq: u64 },
    /// The session has handled the request or the registration; other sessions may still send
    /// messages because of it.
    Handled,
    /// The delivery result of a letter. For the trace: the model does not see mail.
    Delivered { letter: String, outcome: Outcome },
    /// A session handled its deadlines.
    TimedOut { client: String },
    /// A message went out to a client.
    Sent { link: LinkId, client: String, text: String },
    /// A session was dropped.
    Forgotten { client: String },
    /// The server closes a connection.
    Closed { link: LinkId, code: u16 },
    /// kill -9, and a new process, which takes calls born before this time for recovered ones.
    Restarted { started: UnixTime },
    /// The wall clock was set.
    ClockSet { now: UnixTime },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached { link, client, text } => {
                write!(f, "{client}#{link} is attached with {}", Short(text))
            }
            Self::Detached { link, client, departure } => {
                write!(f, "{client}#{link} is gone: {departure:?}")
            }
            Self::Requested { link, client, text, .. } => {
                write!(f, "{client}#{link} → {}", Short(text))
            }
            Self::Rang { call } => write!(f, "  the call is {}", Short(call)),
            Self::Acknowledged { client, seq } => write!(f, "{client} has everything to {seq}"),
            Self::Handled => write!(f, "  done"),
            Self::Delivered { letter, outcome } => write!(f, "  mail {letter}: {outcome:?}"),
            Self::TimedOut { client } => write!(f, "{client}'s session looks at the time"),
            Self::Sent { link, client, text } => write!(f, "{client}#{link} ← {}", Short(text)),
            Self::Forgotten { client } => write!(f, "{client}'s session is dropped"),
            Self::Closed { link, code } => write!(f, "#{link} is closed with {code}"),
            Self::Restarted { .. } => write!(f, "════ kill -9, restart ════"),
            Self::ClockSet { now } => write!(f, "the wall clock is set to {}", now.as_millis()),
        }
    }
}

/// A text whose long strings are shortened.
pub(crate) struct Short<'a>(pub(crate) &'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.0.split('"').enumerate() {
            if index > 0 {
                f.write_str("\"")?;
            }
            match (piece.char_indices().nth(12), piece.char_indices().rev().nth(5)) {
                (Some((head, _)), Some((tail, _))) if piece.len() > 24 => {
                    write!(f, "{}…{}", &piece[..head], &piece[tail..])?;
                }
                _ => f.write_str(piece)?,
            }
        }
        Ok(())
    }
}
