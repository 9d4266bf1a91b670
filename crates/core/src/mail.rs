//! What one session sends another.

use std::borrow::Cow;
use std::fmt;

use securecall_protocol::{Dialect, EndReason, Opaque, RejectReason};

/// A message from one session to another about a call that both have an end of.
///
/// Who sent it is not in it: whoever delivers it knows, and says so. `Debug` prints no call id.
#[derive(Clone, PartialEq)]
pub struct Mail<'a> {
    /// Which call.
    pub call_id: Cow<'a, str>,
    /// What about it.
    pub content: Content<'a>,
}

/// What a mail says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content<'a> {
    /// From the caller: the call begins.
    Ring {
        /// The caller's offer.
        sdp_offer: Opaque<'a>,
        /// The dialect of the caller: glare is decided if either end speaks dialect 2.
        dialect: Dialect,
    },
    /// From the callee: its device alerts.
    Ringing,
    /// From the callee: it answers.
    Accept {
        /// The callee's answer.
        sdp_answer: Opaque<'a>,
    },
    /// From the callee: it declines.
    Reject {
        /// Why.
        reason: RejectReason,
    },
    /// From either end: the call is over.
    End {
        /// Why.
        reason: EndReason,
    },
    /// From either end: a candidate.
    Candidate {
        /// The candidate.
        candidate: Opaque<'a>,
    },
    /// From either end: something else, between clients of dialect 2.
    Signal {
        /// What.
        data: Opaque<'a>,
    },
    /// From either end, after a restart: it is there, and in the call.
    Present {
        /// True if the call was answered, as far as that end's client knows.
        answered: bool,
    },
}

impl fmt::Debug for Mail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("content", &self.content).finish_non_exhaustive()
    }
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The other session has it: its client was told, or will be when it is back.
    Delivered,
    /// No session is there for that client, or its client is away and cannot be rung.
    Offline,
    /// The other client is in as many calls as it may be.
    Busy,
    /// The other session knows no such call with this client.
    NoSuchCall,
    /// The other session keeps no more: its client's mail, or the old calls that it takes up again,
    /// have reached their bound. The call is over for it.
    Full,
    /// The other client called at the same moment, and its call goes on instead.
    Glare,
    /// The other client speaks dialect 1, which has no such message.
    NotUnderstood,
    /// Whether it arrived cannot be said now.
    Unavailable,
}
