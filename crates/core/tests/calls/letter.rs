//! Mail that can be held back.

use securecall_core::{Content, Mail};
use securecall_protocol::{ClientId, Dialect, EndReason, Opaque, RejectReason};

/// A mail on its way, with texts of its own.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) from: ClientId,
    pub(crate) to: ClientId,
    call_id: String,
    content: Stored,
    request_id: Option<String>,
}

#[derive(Debug, Clone)]
enum Stored {
    Ring(String, Dialect),
    Ringing,
    Accept(String),
    Reject(RejectReason),
    End(EndReason),
    Candidate(String),
    Signal(String),
    Present(bool),
}

impl Letter {
    pub(crate) fn new(
        from: ClientId,
        to: ClientId,
        mail: &Mail<'_>,
        request_id: Option<Opaque<'_>>,
    ) -> Self {
        let text = |opaque: Opaque<'_>| opaque.as_json().to_string();
        let content = match mail.content {
            Content::Ring { sdp_offer, dialect } => Stored::Ring(text(sdp_offer), dialect),
            Content::Accept { sdp_answer } => Stored::Accept(text(sdp_answer)),
            Content::Ringing => Stored::Ringing,
            Content::Reject { reason } => Stored::Reject(reason),
            Content::End { reason } => Stored::End(reason),
            Content::Candidate { candidate } => Stored::Candidate(text(candidate)),
            Content::Signal { data } => Stored::Signal(text(data)),
            Content::Present { answered } => Stored::Present(answered),
        };
        let call_id = mail.call_id.to_string();
        Self { from, to, call_id, content, request_id: request_id.map(text) }
    }

    pub(crate) fn mail(&self) -> Mail<'_> {
        let opaque = |text| Opaque::from_stored(text).unwrap();
        let content = match &self.content {
            Stored::Ring(offer, dialect) => {
                Content::Ring { sdp_offer: opaque(offer), dialect: *dialect }
            }
            Stored::Accept(answer) => Content::Accept { sdp_answer: opaque(answer) },
            Stored::Ringing => Content::Ringing,
            Stored::Reject(reason) => Content::Reject { reason: *reason },
            Stored::End(reason) => Content::End { reason: *reason },
            Stored::Candidate(candidate) => Content::Candidate { candidate: opaque(candidate) },
            Stored::Signal(data) => Content::Signal { data: opaque(data) },
            Stored::Present(answered) => Content::Present { answered: *answered },
        };
        Mail { call_id: self.call_id.as_str().into(), content }
    }

    pub(crate) fn request_id(&self) -> Option<Opaque<'_>> {
        self.request_id.as_deref().and_then(Opaque::from_stored)
    }

    pub(crate) fn is_ring(&self) -> bool {
        matches!(self.content, Stored::Ring(..))
    }
}
