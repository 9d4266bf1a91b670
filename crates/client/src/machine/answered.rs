//! An answered call: candidates and signals, sealed.

use std::collections::VecDeque;

use securecall_protocol::Dialect;
use securecall_protocol::client::Outgoing;
use securecall_seal::{self as seal, Established, Fingerprint};

use super::Machine;
use super::call::{Call, State};
use crate::{CallId, Error, Event};

/// Bound of the sealed messages of a call that are kept to be sent again. Beyond it the oldest go,
/// which nobody misses in a call that is so old.
const KEPT_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Candidate,
    Signal,
}

/// A message as it was sealed, and what is in it.
struct Sent {
    kind: Kind,
    text: String,
    sealed: String,
}

pub(super) struct Answered {
    established: Established,
    peer: Fingerprint,
    /// When the peer made its offer, by its clock, in seconds since 1970. `None`: this is the
    /// caller.
    offered_at: Option<u64>,
    sent: VecDeque<Sent>,
    /// Number of lost messages that was reported.
    missed: u64,
    digits_told: bool,
    /// The callee's own answer, sealed. `None`: this is the caller, or the caller has it.
    answer: Option<String>,
}

impl Answered {
    pub(super) fn caller(established: Established, peer: Fingerprint) -> Self {
        let (sent, missed) = (VecDeque::new(), 0);
        let (offered_at, answer) = (None, None);
        Self { established, peer, offered_at, sent, missed, digits_told: true, answer }
    }

    pub(super) fn callee(
        established: Established,
        peer: Fingerprint,
        offered_at: u64,
        answer: String,
    ) -> Self {
        let (sent, missed) = (VecDeque::new(), 0);
        let (offered_at, answer) = (Some(offered_at), Some(answer));
        Self { established, peer, offered_at, sent, missed, digits_told: false, answer }
    }

    /// Returns whether the peer has this identity, and the call is not known to have begun after
    /// `made_at`, by the peer's clock.
    pub(super) fn is_older(&self, identity: Fingerprint, made_at: u64) -> bool {
        self.peer == identity && self.offered_at.is_none_or(|offered_at| offered_at <= made_at)
    }

    pub(super) const fn digits(&self) -> Option<seal::ShortAuthenticationString> {
        self.established.short_authentication_string()
    }

    pub(super) fn unconfirmed_answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    pub(super) fn has_sent_nothing(&self) -> bool {
        self.sent.is_empty()
    }

    pub(super) fn seal_candidate(
        &mut self,
        wire_id: &str,
        text: &str,
    ) -> Result<Outgoing, seal::Error> {
        self.seal(wire_id, Kind::Candidate, text)
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

impl Sent {
    fn message(&self, wire_id: &str) -> Outgoing {
        let (call_id, sealed) = (wire_id.to_owned(), self.sealed.clone());
        match self.kind {
            Kind::Candidate => Outgoing::IceCandidate { call_id, candidate: sealed },
            Kind::Signal => Outgoing::CallSignal { call_id, data: sealed },
        }
    }
}

impl Machine {
    /// The application's candidate: sealed and sent, or kept until there are keys.
    pub(super) fn candidate(&mut self, id: CallId, candidate: String) -> Result<(), Error> {
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        match call.state {
            State::Answered(_) => self.seal_and_queue(id, Kind::Candidate, &candidate),
            _ => call.keep(candidate),
        }
    }

    pub(super) fn signal(&mut self, id: CallId, signal: &str) -> Result<(), Error> {
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        if !matches!(call.state, State::Answered(_)) || self.registration.dialect() == Dialect::One
        {
            return Err(Error::WrongMoment);
        }
        self.seal_and_queue(id, Kind::Signal, signal)
    }

    /// Seals what was found before there were keys. A caller without candidates seals an
    /// empty candidate: with its first message the callee knows that it has the keys, and the
    /// digits.
    pub(super) fn send_early_candidates(&mut self, id: CallId) {
        let Some(call) = self.calls.find(id) else { return };
        let early = std::mem::take(&mut call.early);
        let callee = matches!(&call.state, State::Answered(answered) if answered.answer.is_some());
        if early.is_empty() && !callee {
            let _ = self.seal_and_queue(id, Kind::Candidate, "");
        }
        for candidate in early {
            let _ = self.seal_and_queue(id, Kind::Candidate, &candidate);
        }
    }

    fn seal_and_queue(&mut self, id: CallId, kind: Kind, text: &str) -> Result<(), Error> {
        if self.sender.is_full() {
            return Err(Error::TooMuchWaits);
        }
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        let (Some(wire_id), State::Answered(answered)) = (&call.wire_id, &mut call.state) else {
            return Err(Error::WrongMoment);
        };
        let message = answered.seal(wire_id, kind, text)?;
        self.sender.queue(message).map(drop)
    }

    /// A candidate or signal came.
    pub(super) fn handle_sealed(&mut self, wire_id: &str, kind: Kind, sealed: &str) {
        let Some(id) = self.calls.by_wire_id(wire_id) else { return self.repeat_end(wire_id) };
        let Some(Call { state: State::Answered(answered), .. }) = self.calls.find(id) else {
            // Nobody can have sealed it: there are no keys before the answer.
            return self
                .report(Event::MessageRefused { call: id, error: seal::Error::NotAuthentic });
        };
        let opened = match kind {
            Kind::Candidate => answered.established.open_candidate(sealed),
            Kind::Signal => answered.established.open_signal(sealed),
        };
        let event = match (opened, kind) {
            (Err(error), _) => Some(Event::MessageRefused { call: id, error }),
            (Ok(text), _) if text.is_empty() => None,
            (Ok(candidate), Kind::Candidate) => Some(Event::Candidate { call: id, candidate }),
            (Ok(signal), Kind::Signal) => Some(Event::Signal { call: id, signal }),
        };
        let authentic = !matches!(event, Some(Event::MessageRefused { .. }));
        if authentic {
            self.handle_proof_of_keys(id);
        }
        self.outputs.extend(event.map(super::Output::Event));
    }

    /// A candidate or signal came that cannot be read.
    pub(super) fn unreadable_message(&mut self, wire_id: &str) {
        match self.calls.by_wire_id(wire_id) {
            Some(call) => {
                self.report(Event::MessageRefused { call, error: seal::Error::Malformed });
            }
            None => self.repeat_end(wire_id),
        }
    }

    /// The other end has the keys of the call: it has the answer, and the digits can be compared.
    fn handle_proof_of_keys(&mut self, id: CallId) {
        let Some(Call { state: State::Answered(answered), .. }) = self.calls.find(id) else {
            return;
        };
        answered.answer = None;
        let missing = answered.established.missing();
        let missed = missing - std::mem::replace(&mut answered.missed, missing);
        let digits =
            answered.digits().filter(|_| !std::mem::replace(&mut answered.digits_told, true));
        if let Some(digits) = digits {
            self.report(Event::Digits { call: id, digits });
        }
        if missed > 0 {
            self.report(Event::MessagesMissed { call: id, count: missed });
        }
    }

    /// The server did not take a candidate or signal for now.
    pub(super) fn send_sealed_anew(&mut self, message: &Outgoing) {
        let (Outgoing::IceCandidate { call_id, candidate: sealed }
        | Outgoing::CallSignal { call_id, data: sealed }) = message
        else {
            return;
        };
        let Some(id) = self.calls.by_wire_id(call_id) else { return };
        let Some(Call { state: State::Answered(answered), .. }) = self.calls.find(id) else {
            return;
        };
        if let Some(Ok(again)) = answered.seal_again(call_id, sealed) {
            self.sender.queue_short(again);
        }
    }
}
