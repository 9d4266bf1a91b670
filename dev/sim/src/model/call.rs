//! A call as the model sees it: one thing, with two ends that hear of it.

use std::collections::{BTreeSet, VecDeque};

use securecall_core::{Instant, UnixTime};

use super::owner::Tokens;
use crate::network::LinkId;

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
    /// Why its callee does not want it.
    pub(super) rejected: Option<String>,
    pub(super) over: Over,
    /// The reasons that its ends may be told.
    pub(super) reasons: BTreeSet<&'static str>,
    /// The wall clock was set back: a server that is younger takes it for one of its own.
    too_young: bool,
    /// When it was born, by the server's wall clock.
    pub(super) born: UnixTime,
    /// The caller's end, the callee's end.
    pub(super) ends: [End; 2],
    /// The time at which the callee was given the offer last, and the number of connections in a
    /// row that it may have cost.
    pub(super) delivered: Option<Instant>,
    pub(super) losses: usize,
    /// The reason for its end that the first of its ends was told.
    pub(super) told: Option<String>,
    /// It could not be rung.
    pub(super) failed: bool,
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
    /// What it has not been given yet.
    pub(super) channel: VecDeque<Item>,
    /// Some of that may have waited in a session that gave the call up.
    pub(super) gaps: bool,
    /// It may have been told the end in a stream that was not resumed.
    pub(super) end_lost: bool,
    /// Its client has said, to a server that does not know better, that nobody has answered yet:
    /// when that is over.
    pub(super) ring_deadline: Option<Instant>,
    /// The first such deadline: the other end may have heard of that alone.
    pub(super) first_ring_deadline: Option<Instant>,
    /// Its client has registered anew, in dialect 2, without a word of the call: when that is over.
    pub(super) claim_deadline: Option<Instant>,
    /// The registration that may have it.
    pub(super) owner: Option<Tokens>,
    /// More than one registration has presented it after a restart.
    pub(super) contested: bool,
    /// The connection that was told that it has no such call.
    pub(super) denied_on: Option<LinkId>,
    /// The time at which its client, of dialect 1, was told the answer, if it has said nothing
    /// since.
    pub(super) told_in_one: Option<Instant>,
    /// Its client has said after a restart that the call was answered, or has answered it.
    pub(super) said_answered: bool,
    /// There may have been no room to keep that answer.
    pub(super) perhaps_not_kept: bool,
}

/// Something of the other end.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) what: &'static str,
    /// What is opaque in it, as JSON.
    pub(super) text: String,
    /// It need not arrive: it is a note on progress, or the end speaks dialect 1.
    pub(super) optional: bool,
}

/// The number of a message, in dialect 2.
const NUMBER_BYTES: usize = r#","seq":99999"#.len();

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
    pub(super) fn new(
        (caller, callee): (String, String),
        offer: String,
        now: Instant,
        born: UnixTime,
    ) -> Self {
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
            rejected: None,
            over: Over::No,
            reasons: BTreeSet::new(),
            too_young: false,
            born,
            ends: Default::default(),
            target_was_absent: false,
            target_was_busy: false,
            caller_was_absent: false,
            delivered: None,
            losses: 0,
            told: None,
            failed: false,
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

    /// Whether it is still to be answered, as far as this end knows for certain.
    pub(super) fn is_unanswered_at(&self, side: Side) -> bool {
        match side {
            Side::Caller => !self.ends[0].answered,
            Side::Callee => self.answer.is_none(),
        }
    }

    /// Returns true if one of its ends was told that it is over for this reason.
    pub(super) fn told_is(&self, reason: &str) -> bool {
        self.told.as_deref() == Some(reason)
    }

    /// After a restart its ends do not agree on whether it was answered.
    pub(super) fn is_disputed(&self) -> bool {
        self.recovered && self.ends.iter().any(|end| end.said_answered)
    }

    /// Nobody has answered.
    pub(super) fn is_ringing(&self) -> bool {
        !self.recovered && self.answer.is_none()
    }

    /// The server was killed: the new one knows nothing of the call but what its id says. It takes
    /// those born before it started for older than itself.
    pub(super) fn forget(&mut self, started: UnixTime) {
        self.recovered = true;
        self.touched = false;
        self.overflows = false;
        self.crowded = false;
        self.presented = None;
        self.answer = None;
        self.rejected = None;
        self.over = Over::Maybe;
        self.reasons.clear();
        self.told = None;
        self.losses = 0;
        self.ends = Default::default();
        self.too_young = self.born >= started;
        if self.too_young {
            // Nobody finds the call again.
            self.over = Over::Yes;
            Side::BOTH.into_iter().for_each(|side| self.finish(side));
        }
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
        if self.too_young {
            return;
        }
        self.presented = None;
        self.over = Over::Maybe;
        let end = self.end(side);
        let channel = std::mem::take(&mut end.channel);
        let (gaps, said_answered) = (end.gaps, end.said_answered);
        *end = End { channel, gaps, said_answered, ..End::default() };
        if side == Side::Callee {
            self.answer = None;
        }
    }

    /// How many bytes are on their way to this end.
    pub(super) fn bytes_to(&self, side: Side, call_id: &str) -> usize {
        let end = &self.ends[side as usize];
        let candidates = end.channel.iter().map(|item| {
            r#"{"type":"ICE_CANDIDATE","payload":{"callId":"","candidate":}}"#.len()
                + call_id.len()
                + item.text.len()
                + NUMBER_BYTES
        });
        // One that a caller of dialect 1 was told is kept for a while.
        let kept = !end.answered || end.told_in_one.is_some();
        let answer = self.answer.as_ref().filter(|_| side == Side::Caller && kept);
        let answer = answer.map_or(0, |json| {
            r#"{"type":"CALL_ACCEPTED","payload":{"callId":"","sdpAnswer":}}"#.len()
                + call_id.len()
                + json.len()
                + NUMBER_BYTES
        });
        candidates.sum::<usize>() + answer
    }
}
