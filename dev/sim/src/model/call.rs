//! A call in the model: one value with two ends.

use std::collections::{BTreeSet, VecDeque};

use securecall_core::{Instant, UnixTime};

use super::ownership::Tokens;
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
    /// It is older than the server: its progress is known from its clients alone.
    pub(super) recovered: bool,
    /// This server has met the call, or given it up unseen.
    pub(super) touched: bool,
    /// It was presented while one of its ends was claimed to be in many other old calls.
    pub(super) crowded: bool,
    /// One end's deferred messages may have exceeded their bound.
    pub(super) overflows: bool,
    /// The time at which a client first presented it to this server.
    pub(super) presented: Option<Instant>,
    /// The first answer that this server was given, as JSON.
    pub(super) answer: Option<String>,
    /// The reason of its CALL_REJECT.
    pub(super) rejected: Option<String>,
    pub(super) over: Over,
    /// The reasons that CALL_ENDED may carry.
    pub(super) reasons: BTreeSet<&'static str>,
    /// The wall clock was set back, so that a younger server takes it for one of its own.
    too_young: bool,
    /// When it was born, by the server's wall clock.
    pub(super) born: UnixTime,
    /// The caller's end, the callee's end.
    pub(super) ends: [End; 2],
    /// The time of the last delivery of the offer, and the number of connections in a row that it
    /// may have cost.
    pub(super) delivered: Option<Instant>,
    pub(super) losses: usize,
    /// The reason in the first CALL_ENDED that was sent.
    pub(super) end_reason: Option<String>,
    /// It could not be rung.
    pub(super) failed: bool,
    /// Before it rang: the target was not there, or was busy.
    pub(super) target_was_absent: bool,
    pub(super) target_was_busy: bool,
    /// Before it rang: the caller was gone for a moment, and may have missed the error.
    pub(super) caller_was_absent: bool,
}

/// The state of a call: it lives, it is over, or both are possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Over {
    /// It must not end.
    No,
    /// Both is right: two things happened at the same time.
    Maybe,
    /// It has ended, or is about to.
    Yes,
}

/// The state of one end.
#[derive(Debug, Default)]
pub(super) struct End {
    /// The call is over for it; no message may follow.
    pub(super) done: bool,
    /// Its client has shown that it knows the call.
    pub(super) presented: bool,
    /// Its client presented it with a refused message: that counts if the session knew the call
    /// before.
    pub(super) perhaps_presented: bool,
    /// It was sent the answer.
    pub(super) answered: bool,
    /// Messages for it that were not sent yet, in order.
    pub(super) channel: VecDeque<Item>,
    /// Some of them may be lost with a session that gave the call up.
    pub(super) gaps: bool,
    /// Its CALL_ENDED may be lost with a stream that was not resumed.
    pub(super) end_lost: bool,
    /// The end of the ringing, if its client presented the call as unanswered to a restarted
    /// server.
    pub(super) ring_deadline: Option<Instant>,
    /// The first such deadline: the other end may know only that one.
    pub(super) first_ring_deadline: Option<Instant>,
    /// The deadline to present the call, if its client has registered anew, in dialect 2, without
    /// it.
    pub(super) claim_deadline: Option<Instant>,
    /// The registration that owns it.
    pub(super) owner: Option<Tokens>,
    /// More than one registration has presented it after a restart.
    pub(super) contested: bool,
    /// The connection that was refused this call.
    pub(super) denied_on: Option<LinkId>,
    /// The time at which its client, of dialect 1, was sent the answer, if no message has confirmed
    /// it since.
    pub(super) answer_unconfirmed_since: Option<Instant>,
    /// Its client has presented the call as answered after a restart, or has answered it.
    pub(super) claimed_answered: bool,
    /// The answer may have been dropped for lack of room.
    pub(super) perhaps_dropped: bool,
}

/// A message from the other end.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) what: &'static str,
    /// The opaque part, as JSON.
    pub(super) text: String,
    /// It need not arrive: it only reports progress, or the end speaks dialect 1.
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
            end_reason: None,
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

    /// Ends the call for one end, and drops the messages for it.
    pub(super) fn finish(&mut self, side: Side) {
        let end = self.end(side);
        end.done = true;
        end.channel.clear();
    }

    /// Returns true if this end cannot know of an answer.
    pub(super) fn is_unanswered_at(&self, side: Side) -> bool {
        match side {
            Side::Caller => !self.ends[0].answered,
            Side::Callee => self.answer.is_none(),
        }
    }

    /// Returns true if an end was sent CALL_ENDED with this reason.
    pub(super) fn has_ended_for(&self, reason: &str) -> bool {
        self.end_reason.as_deref() == Some(reason)
    }

    /// Returns true if its ends may disagree, after a restart, on whether it was answered.
    pub(super) fn is_disputed(&self) -> bool {
        self.recovered && self.ends.iter().any(|end| end.claimed_answered)
    }

    /// Returns true if it is unanswered.
    pub(super) fn is_ringing(&self) -> bool {
        !self.recovered && self.answer.is_none()
    }

    /// Handles a kill of the server: the new one has only the call's id. Calls born before it
    /// started are older than itself.
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
        self.end_reason = None;
        self.losses = 0;
        self.ends = Default::default();
        self.too_young = self.born >= started;
        if self.too_young {
            // No server finds the call again.
            self.over = Over::Yes;
            Side::BOTH.into_iter().for_each(|side| self.finish(side));
        }
    }

    /// Handles an old call whose client at one end did not come back.
    pub(super) fn give_up_recovered(&mut self, side: Side) {
        if self.is_done(side) {
            return;
        }
        self.touched = true;
        // The model cannot see if its session had come to know of the call.
        self.over = self.over.max(Over::Maybe);
        if self.end(side).presented {
            self.finish(side);
        } else {
            self.end(side).gaps = true;
        }
    }

    /// Handles the loss of one end's session, which forgets that this old call had ended there.
    pub(super) fn recover_again(&mut self, side: Side) {
        if self.too_young {
            return;
        }
        self.presented = None;
        self.over = Over::Maybe;
        let end = self.end(side);
        let channel = std::mem::take(&mut end.channel);
        let (gaps, claimed_answered) = (end.gaps, end.claimed_answered);
        *end = End { channel, gaps, claimed_answered, ..End::default() };
        if side == Side::Callee {
            self.answer = None;
        }
    }

    /// The bytes of the deferred messages for this end.
    pub(super) fn bytes_to(&self, side: Side, call_id: &str) -> usize {
        let end = &self.ends[side as usize];
        let candidates = end.channel.iter().map(|item| {
            r#"{"type":"ICE_CANDIDATE","payload":{"callId":"","candidate":}}"#.len()
                + call_id.len()
                + item.text.len()
                + NUMBER_BYTES
        });
        // An answer to a caller of dialect 1 is kept until it is confirmed.
        let kept = !end.answered || end.answer_unconfirmed_since.is_some();
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
