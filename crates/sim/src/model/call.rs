//! A call as the model sees it: one thing, with two ends that hear of it.

use std::collections::VecDeque;

use securecall_core::Instant;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) caller: String,
    pub(super) callee: String,
    /// The offer, as JSON.
    pub(super) offer: String,
    pub(super) initiated: Instant,
    /// When the callee was rung first.
    pub(super) rung: Option<Instant>,
    /// It is older than the server: how far it got is for its clients to show.
    pub(super) recovered: bool,
    /// This server has heard of the call, or given it up unheard.
    pub(super) touched: bool,
    /// It was shown while one of its ends was said to be in many other old calls.
    pub(super) crowded: bool,
    /// More may have been on its way to one end than may wait there.
    pub(super) overflows: bool,
    /// When a client first showed it to this server.
    pub(super) presented: Option<Instant>,
    /// The first answer that this server was given, as JSON.
    pub(super) answer: Option<String>,
    pub(super) rejected: bool,
    pub(super) over: Over,
    /// The caller's end, the callee's end.
    pub(super) ends: [End; 2],
    /// Before it rang: the target was not there, or was busy.
    pub(super) target_was_absent: bool,
    pub(super) target_was_busy: bool,
    /// Before it rang: the caller was gone for a moment, and may have missed why.
    pub(super) caller_was_absent: bool,
}

/// Whether a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Over {
    /// It must not end.
    No,
    /// Both is right: two things happened at the same time.
    Maybe,
    /// It has ended, or is about to.
    Yes,
}

/// What one end knows.
#[derive(Debug, Default)]
pub(super) struct End {
    /// It hears nothing of the call any more.
    pub(super) done: bool,
    /// Its client has shown that it knows the call.
    pub(super) presented: bool,
    /// Its client has shown it with a message that was refused: whether that counts depends on
    /// what the session had heard of the call before.
    pub(super) perhaps_presented: bool,
    /// It was told the answer.
    pub(super) answered: bool,
    /// Candidates that it has not been given yet, as JSON.
    pub(super) channel: VecDeque<String>,
    /// Some of them may have waited in a session that gave the call up.
    pub(super) gaps: bool,
}

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Caller = 0,
    Callee = 1,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Caller, Self::Callee];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

impl Call {
    pub(super) fn new(caller: String, callee: String, offer: String, now: Instant) -> Self {
        Self {
            caller,
            callee,
            offer,
            initiated: now,
            rung: None,
            recovered: false,
            touched: false,
            overflows: false,
            crowded: false,
            presented: None,
            answer: None,
            rejected: false,
            over: Over::No,
            ends: Default::default(),
            target_was_absent: false,
            target_was_busy: false,
            caller_was_absent: false,
        }
    }

    pub(super) fn side_of(&self, client: &str) -> Option<Side> {
        match client {
            _ if client == self.caller => Some(Side::Caller),
            _ if client == self.callee => Some(Side::Callee),
            _ => None,
        }
    }

    pub(super) fn client(&self, side: Side) -> &str {
        match side {
            Side::Caller => &self.caller,
            Side::Callee => &self.callee,
        }
    }

    pub(super) fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    pub(super) fn is_done(&self, side: Side) -> bool {
        self.ends[side as usize].done
    }

    /// The end hears nothing any more, and what was on its way to it is void.
    pub(super) fn finish(&mut self, side: Side) {
        let end = self.end(side);
        end.done = true;
        end.channel.clear();
    }

    /// Nobody has answered.
    pub(super) fn is_ringing(&self) -> bool {
        !self.recovered && self.answer.is_none()
    }

    /// The server was killed: it knows nothing of the call but what its id says.
    pub(super) fn forget(&mut self) {
        self.recovered = true;
        self.touched = false;
        self.overflows = false;
        self.crowded = false;
        self.presented = None;
        self.answer = None;
        self.rejected = false;
        self.over = Over::Maybe;
        self.ends = Default::default();
    }

    /// The client at one end of an old call did not come back.
    pub(super) fn give_up_recovered(&mut self, side: Side) {
        if self.is_done(side) {
            return;
        }
        self.touched = true;
        // Whether its session had come to know of the call is not to be seen.
        self.over = self.over.max(Over::Maybe);
        if self.end(side).presented {
            self.finish(side);
        } else {
            self.end(side).gaps = true;
        }
    }

    /// One end's session is gone, and with it the knowledge that this old call had ended there.
    pub(super) fn recover_again(&mut self, side: Side) {
        self.presented = None;
        self.over = Over::Maybe;
        let end = self.end(side);
        let channel = std::mem::take(&mut end.channel);
        *end = End { channel, gaps: end.gaps, ..End::default() };
        if side == Side::Callee {
            self.answer = None;
        }
    }

    /// How many bytes are on their way to this end.
    pub(super) fn bytes_to(&self, side: Side, call_id: &str) -> usize {
        let end = &self.ends[side as usize];
        let candidates = end.channel.iter().map(|json| {
            r#"{"type":"ICE_CANDIDATE","payload":{"callId":"","candidate":}}"#.len()
                + call_id.len()
                + json.len()
        });
        let answer = self.answer.as_ref().filter(|_| side == Side::Caller && !end.answered);
        let answer = answer.map_or(0, |json| {
            r#"{"type":"CALL_ACCEPTED","payload":{"callId":"","sdpAnswer":}}"#.len()
                + call_id.len()
                + json.len()
        });
        candidates.sum::<usize>() + answer
    }
}
