//! Candidates and signals of a call, in both directions.

use securecall_protocol::Dialect;
use securecall_protocol::client::Outgoing;
use securecall_seal as seal;

use super::calls::{Call, Kind, OpenedMessage, State};
use super::{Machine, Output};
use crate::{CallId, Error, Event};

impl Machine {
    /// The application's candidate: sealed and sent, or held until there are keys.
    pub(super) fn candidate(&mut self, id: CallId, candidate: String) -> Result<(), Error> {
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        match call.state {
            State::Answered(_) => self.seal_and_queue(id, Kind::Candidate, &candidate),
            _ => call.hold(candidate),
        }
    }

    pub(super) fn signal(&mut self, id: CallId, signal: &str) -> Result<(), Error> {
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        if !call.is_answered() || self.registration.dialect() == Dialect::One {
            return Err(Error::WrongMoment);
        }
        self.seal_and_queue(id, Kind::Signal, signal)
    }

    /// Seals what was found before there were keys.
    pub(super) fn send_early_candidates(&mut self, id: CallId, candidates: &[String]) {
        for candidate in candidates {
            let _ = self.seal_and_queue(id, Kind::Candidate, candidate);
        }
    }

    fn seal_and_queue(&mut self, id: CallId, kind: Kind, text: &str) -> Result<(), Error> {
        if self.sender.is_full() {
            return Err(Error::TooMuchWaits);
        }
        let message = self.calls.find(id).ok_or(Error::NoSuchCall)?.seal(kind, text)?;
        self.sender.queue(message).map(drop)
    }

    /// The server did not take a candidate or signal for now.
    pub(super) fn send_sealed_anew(&mut self, message: &Outgoing) {
        if let Some(again) = self.calls.seal_again(message) {
            self.sender.queue_short(again);
        }
    }

    /// A candidate or signal came.
    pub(super) fn handle_sealed(&mut self, wire_id: &str, kind: Kind, sealed: &str) {
        let Some(call) = self.calls.by_wire_id(wire_id) else { return self.repeat_end(wire_id) };
        let opened = match self.calls.find(call) {
            Some(Call { state: State::Answered(answered), .. }) => answered.open(kind, sealed),
            // Nobody can have sealed it: there are no keys before the answer.
            _ => Err(seal::Error::NotAuthentic),
        };
        match opened {
            Ok(message) => self.report_opened(call, kind, message),
            Err(error) => self.report(Event::MessageRefused { call, error }),
        }
    }

    fn report_opened(&mut self, call: CallId, kind: Kind, message: OpenedMessage) {
        let OpenedMessage { text, digits, missed } = message;
        let digits = digits.map(|digits| Event::Digits { call, digits });
        let missed = (missed > 0).then_some(Event::MessagesMissed { call, count: missed });
        let message = (!text.is_empty()).then_some(match kind {
            Kind::Candidate => Event::Candidate { call, candidate: text },
            Kind::Signal => Event::Signal { call, signal: text },
        });
        let events = [digits, missed, message].into_iter().flatten();
        self.outputs.extend(events.map(Output::Event));
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
}
