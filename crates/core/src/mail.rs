//! Mail: the messages between sessions.

use std::borrow::Cow;
use std::fmt;

use securecall_protocol::{Dialect, EndReason, Opaque, OwnedOpaque, RejectReason};

/// A message from one session to another about a call that both have an end of.
///
/// Its sender is not in it: the one who delivers it knows the sender. `Debug` prints no call id.
#[derive(Clone, PartialEq)]
pub struct Mail<'a> {
    /// The call's id.
    pub call_id: Cow<'a, str>,
    /// The message about it.
    pub content: Content<'a>,
}

/// The content of a mail.
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
        /// The callee's reason.
        reason: RejectReason,
    },
    /// From either end: the call is over.
    End {
        /// The reason of the end.
        reason: EndReason,
    },
    /// From either end: a candidate.
    Candidate {
        /// The candidate.
        candidate: Opaque<'a>,
    },
    /// From either end: something else, between clients of dialect 2.
    Signal {
        /// The opaque text.
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

/// The result of delivering a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The other session has it: its client was sent the message, or will be when it is back.
    Delivered,
    /// No session is there for that client, or its client is away and cannot be rung.
    Offline,
    /// The other client is in as many calls as it may be.
    Busy,
    /// The other session knows no such call with this client.
    NoSuchCall,
    /// The other session has no room for it: its client's mail, or the old calls that it takes up
    /// again, have reached their bound. The call is over for it.
    Full,
    /// The other client called at the same moment, and its call goes on instead.
    Glare,
    /// The other client speaks dialect 1, which has no such message.
    NotUnderstood,
    /// Unknown: the other client's node cannot be reached now.
    Unavailable,
}

/// A mail with texts of its own, for as long as it has to be kept.
///
/// `Debug` prints no call id.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedMail {
    call_id: Box<str>,
    content: OwnedContent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum OwnedContent {
    Ring { sdp_offer: OwnedOpaque, dialect: Dialect },
    Ringing,
    Accept { sdp_answer: OwnedOpaque },
    Reject { reason: RejectReason },
    End { reason: EndReason },
    Candidate { candidate: OwnedOpaque },
    Signal { data: OwnedOpaque },
    Present { answered: bool },
}

impl Mail<'_> {
    /// Copies what it borrows.
    pub fn into_owned(self) -> OwnedMail {
        let content = match self.content {
            Content::Ring { sdp_offer, dialect } => {
                OwnedContent::Ring { sdp_offer: sdp_offer.into_owned(), dialect }
            }
            Content::Ringing => OwnedContent::Ringing,
            Content::Accept { sdp_answer } => {
                OwnedContent::Accept { sdp_answer: sdp_answer.into_owned() }
            }
            Content::Reject { reason } => OwnedContent::Reject { reason },
            Content::End { reason } => OwnedContent::End { reason },
            Content::Candidate { candidate } => {
                OwnedContent::Candidate { candidate: candidate.into_owned() }
            }
            Content::Signal { data } => OwnedContent::Signal { data: data.into_owned() },
            Content::Present { answered } => OwnedContent::Present { answered },
        };
        OwnedMail { call_id: self.call_id.into(), content }
    }
}

impl OwnedMail {
    /// The call that it is about.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The mail, lent out.
    pub fn as_mail(&self) -> Mail<'_> {
        let content = match &self.content {
            OwnedContent::Ring { sdp_offer, dialect } => {
                Content::Ring { sdp_offer: sdp_offer.as_opaque(), dialect: *dialect }
            }
            OwnedContent::Ringing => Content::Ringing,
            OwnedContent::Accept { sdp_answer } => {
                Content::Accept { sdp_answer: sdp_answer.as_opaque() }
            }
            OwnedContent::Reject { reason } => Content::Reject { reason: *reason },
            OwnedContent::End { reason } => Content::End { reason: *reason },
            OwnedContent::Candidate { candidate } => {
                Content::Candidate { candidate: candidate.as_opaque() }
            }
            OwnedContent::Signal { data } => Content::Signal { data: data.as_opaque() },
            OwnedContent::Present { answered } => Content::Present { answered: *answered },
        };
        Mail { call_id: (&*self.call_id).into(), content }
    }
}

impl fmt::Debug for OwnedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_mail().fmt(f)
    }
}

impl Content<'_> {
    /// The bytes of its opaque text, as JSON; 0 without one.
    pub fn opaque_bytes(&self) -> usize {
        match self {
            Self::Ring { sdp_offer: opaque, .. }
            | Self::Accept { sdp_answer: opaque }
            | Self::Candidate { candidate: opaque }
            | Self::Signal { data: opaque } => opaque.len(),
            Self::Ringing | Self::Reject { .. } | Self::End { .. } | Self::Present { .. } => 0,
        }
    }
}
