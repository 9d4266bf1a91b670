//! What can be seen from outside the sessions: what goes in, what comes out.
//!
//! The model lives on this alone, and the trace is its text.

use std::fmt;

use securecall_core::{Departure, Outcome, UnixTime};

use crate::network::LinkId;

/// One thing that happened at the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A connection registers a client, with this REGISTER.
    Attached { link: LinkId, client: String, text: String },
    /// A client has no connection any more.
    Detached { link: LinkId, client: String, departure: Departure },
    /// A client asked its session for something about a call. One that begins is born at this time.
    Asked { link: LinkId, client: String, text: String, born: UnixTime },
    /// A ring has left for another session: a call has an id.
    Rang { call: String },
    /// A client has acknowledged what it was sent.
    Acknowledged { client: String, seq: u64 },
    /// The session is done with what was asked, or with the registration; other sessions may still
    /// have something to say.
    Answered,
    /// Mail has reached a session, or not. For the trace: the model has never heard of mail.
    Delivered { letter: String, outcome: Outcome },
    /// A session was told the time.
    TimedOut { client: String },
    /// A message went out to a client.
    Sent { link: LinkId, client: String, text: String },
    /// A session was dropped.
    Forgotten { client: String },
    /// The server closes a connection.
    Closed { link: LinkId, code: u16 },
    /// kill -9, and a new process, which takes calls born before this time for older than itself.
    Restarted { started: UnixTime },
    /// Somebody has set the wall clock.
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
            Self::Asked { link, client, text, .. } => {
                write!(f, "{client}#{link} → {}", Short(text))
            }
            Self::Rang { call } => write!(f, "  the call is {}", Short(call)),
            Self::Acknowledged { client, seq } => write!(f, "{client} has everything to {seq}"),
            Self::Answered => write!(f, "  done"),
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

/// A text with the middle of everything long left out.
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
