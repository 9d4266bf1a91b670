//! The calls that a client remembers.

use super::{CALLS_MAX, Client};

/// The number of ended calls that a client remembers.
const ENDED_MAX: usize = 32;

/// A call, as far as its client knows.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) id: String,
    /// It made the call.
    pub(super) is_own: bool,
    pub(super) answered: bool,
    /// The answer that it gave.
    pub(super) answer: Option<String>,
}

impl Call {
    pub(super) fn made(id: &str) -> Self {
        Self { id: id.into(), is_own: true, answered: false, answer: None }
    }

    pub(super) fn to_answer(id: &str) -> Self {
        Self { id: id.into(), is_own: false, answered: false, answer: None }
    }

    pub(super) fn answered(id: &str) -> Self {
        Self { answered: true, ..Self::made(id) }
    }

    pub(super) fn is_to_answer(&self) -> bool {
        !self.is_own && !self.answered
    }
}

impl Client {
    /// The calls that it believes to be in, each with true if it was answered.
    pub(crate) fn believed(&self) -> impl Iterator<Item = (&str, bool)> {
        self.calls.iter().map(|call| (&*call.id, call.answered))
    }

    /// Presents all its calls to the server, as a client of dialect 1 does that has reconnected.
    pub(crate) fn present_calls(&mut self) -> Vec<String> {
        let calls: Vec<Call> = self.calls.clone();
        let present = |call: &Call| {
            let candidate = self.opaque("again", 0);
            self.ask("ICE_CANDIDATE", &call.id, Some(("candidate", candidate)))
        };
        calls.iter().filter(|call| !call.is_to_answer()).map(present).collect()
    }

    /// Queues its answers again, which may be lost with the last connection or the last server.
    pub(super) fn repeat_answers(&mut self) {
        if !self.resumption.is_in_two() {
            return;
        }
        for call in self.calls.clone() {
            if let Some(answer) = call.answer {
                let again = self.ask("CALL_ACCEPT", &call.id, Some(("sdpAnswer", answer)));
                self.queued.push_back(again);
            }
        }
    }

    /// Handles a ringing call. If it has answered that, the answer was lost and is sent again.
    pub(super) fn ring(&mut self, call_id: &str) {
        let answered = self.calls.iter().find(|call| call.id == call_id && call.answered);
        match answered.and_then(|call| call.answer.clone()).filter(|_| self.resumption.is_in_two())
        {
            Some(answer) => {
                let again = self.ask("CALL_ACCEPT", call_id, Some(("sdpAnswer", answer)));
                self.queued.push_back(again);
            }
            None => self.remember(Call::to_answer(call_id)),
        }
    }

    pub(super) fn remember(&mut self, call: Call) {
        self.forget(&call.id);
        if self.calls.len() == CALLS_MAX {
            self.calls.remove(0);
        }
        self.calls.push(call);
    }

    /// Forgets a call that the client ends, and remembers that it is over.
    pub(super) fn end(&mut self, call_id: &str) {
        self.forget(call_id);
        if self.ended.len() == ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(call_id.to_string());
    }

    pub(super) fn has_ended(&self, call_id: &str) -> bool {
        self.ended.iter().any(|ended| ended == call_id)
    }

    pub(super) fn forget(&mut self, call_id: &str) {
        self.calls.retain(|call| call.id != call_id);
    }
}
