//! The keys of an answered call, and what was sealed with them.

use std::collections::VecDeque;

use securecall_protocol::client::Outgoing;
use securecall_seal::{self as seal, Established, Fingerprint};

/// Bound of the sealed messages of a call that are kept to be sent again. Beyond it the oldest go,
/// which nobody misses in a call that is so old.
const KEPT_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
/// A message of an answered call.
pub(crate) enum Kind {
    Candidate,
    Signal,
}

/// A message as it was sealed, and what is in it.
struct Sent {
    kind: Kind,
    text: String,
    sealed: String,
}

/// A candidate or signal that was opened.
pub(crate) struct Opened {
    /// Empty for a message that only shows that its sender has the keys.
    pub(crate) text: String,
    /// The digits, once for each call.
    pub(crate) digits: Option<seal::ShortAuthenticationString>,
    /// Number of messages that were lost before this one, and not reported yet.
    pub(crate) missed: u64,
}

/// An answered call.
pub(crate) struct Answered {
    established: Established,
    peer: Fingerprint,
    /// When the peer made its offer, by its clock, in seconds since 1970. `None`: this is the
    /// caller.
    offered_at: Option<u64>,
    sent: VecDeque<Sent>,
    /// Number of lost messages that was reported.
    missed: u64,
    digits_reported: bool,
    /// The callee's own answer, sealed. `None`: this is the caller, or the caller has it.
    answer: Option<String>,
}

impl Answered {
    /// The caller's end.
    pub(crate) fn caller(established: Established, peer: Fingerprint) -> Self {
        let (sent, missed) = (VecDeque::new(), 0);
        let (offered_at, answer) = (None, None);
        Self { established, peer, offered_at, sent, missed, digits_reported: true, answer }
    }

    /// The callee's end, with its answer as it was sealed.
    pub(crate) fn callee(
        established: Established,
        peer: Fingerprint,
        offered_at: u64,
        answer: String,
    ) -> Self {
        let (sent, missed) = (VecDeque::new(), 0);
        let (offered_at, answer) = (Some(offered_at), Some(answer));
        Self { established, peer, offered_at, sent, missed, digits_reported: false, answer }
    }

    /// Returns whether the peer has this identity, and the call is not known to have begun after
    /// `made_at`, by the peer's clock.
    pub(super) fn is_older(&self, identity: Fingerprint, made_at: u64) -> bool {
        self.peer == identity && self.offered_at.is_none_or(|offered_at| offered_at <= made_at)
    }

    /// The digits that people compare. `None`: the callee has to wait for a message of the caller.
    pub(crate) const fn digits(&self) -> Option<seal::ShortAuthenticationString> {
        self.established.short_authentication_string()
    }

    /// The callee's own answer, while the caller is not known to have it.
    pub(super) fn unconfirmed_answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    pub(super) fn has_sent_nothing(&self) -> bool {
        self.sent.is_empty()
    }

    pub(super) fn seal(
        &mut self,
        wire_id: &str,
        kind: Kind,
        text: &str,
    ) -> Result<Outgoing, seal::Error> {
        let sealed = match kind {
            Kind::Candidate => self.established.seal_candidate(text)?,
            Kind::Signal => self.established.seal_signal(text)?,
        };
        if self.sent.len() >= KEPT_MAX {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { kind, text: text.to_owned(), sealed });
        Ok(self.sent[self.sent.len() - 1].message(wire_id))
    }

    /// Everything that this end has sent, in order: the other end takes each once.
    pub(super) fn everything_sent(&self, wire_id: &str) -> Vec<Outgoing> {
        self.sent.iter().map(|sent| sent.message(wire_id)).collect()
    }

    /// The server did not take this one, while later ones may have arrived: it is sealed anew,
    /// because nothing that was overtaken is opened. `None`: it is not kept any more.
    pub(super) fn seal_again(
        &mut self,
        wire_id: &str,
        sealed: &str,
    ) -> Option<Result<Outgoing, seal::Error>> {
        let at = self.sent.iter().position(|sent| sent.sealed == sealed)?;
        let Sent { kind, text, .. } = self.sent.remove(at)?;
        Some(self.seal(wire_id, kind, &text))
    }
}

impl Answered {
    /// Opens a candidate or signal. It shows that the other end has the keys of the call: it has
    /// the answer, and the digits can be compared.
    pub(crate) fn open(&mut self, kind: Kind, sealed: &str) -> Result<Opened, seal::Error> {
        let text = match kind {
            Kind::Candidate => self.established.open_candidate(sealed)?,
            Kind::Signal => self.established.open_signal(sealed)?,
        };
        self.answer = None;
        let missing = self.established.missing();
        let missed = missing - std::mem::replace(&mut self.missed, missing);
        let digits = self.digits().filter(|_| !std::mem::replace(&mut self.digits_reported, true));
        Ok(Opened { text, digits, missed })
    }
}

impl Sent {
    fn message(&self, wire_id: &str) -> Outgoing {
        let (call_id, sealed) = (wire_id.to_owned(), self.sealed.clone());
        match self.kind {
            Kind::Candidate => Outgoing::IceCandidate { call_id, candidate: sealed },
            Kind::Signal => Outgoing::CallSignal { call_id, data: sealed },
        }
    }
}
