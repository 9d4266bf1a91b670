//! One end of a call.
//!
//! ```text
//!            CALL_INITIATE / Ring            accept
//!  (nothing) ───────────────────► Ringing ───────────► Active
//!      │                             │                    │
//!      │ its token is presented      │ reject, end,       │ end, the peer is lost
//!      ▼                             ▼ ring timeout       ▼
//!   Recovered ── accept ─► Active   (ended)            (ended)
//! ```

use std::time::Duration;

use securecall_protocol::{ClientId, EndReason, OwnedOpaque};

use super::offer::Offer;
use super::owner::Owner;
use super::stream::Stream;
use super::waiting::Waiting;
use crate::call_id::Parties;
use crate::time::Instant;

/// The time for the last word about a call to arrive that the other end knows no more.
const LAST_WORD_TIMEOUT: Duration = Duration::from_secs(5);

/// One session's record of a call.
pub(super) struct Call {
    pub(super) id: Box<str>,
    pub(super) peer: ClientId,
    pub(super) role: Role,
    pub(super) phase: Phase,
    pub(super) claim: Claim,
    /// It is from before the server started: its id alone would bring it back.
    pub(super) recovered: bool,
    /// The ring was handed to the shell, and its outcome is not known yet.
    pub(super) ring_under_way: bool,
    /// A call the other way, whose ring is under way, survives it if that ring arrives.
    pub(super) loses_when_the_other_rings: bool,
    /// The client has been told that it has no such call.
    pub(super) denied: bool,
    /// The registrations that may have it since it was answered. `None`: any that presents the id.
    pub(super) owner: Option<Owner>,
    /// An answer that a client of dialect 1 was sent and may not have.
    pub(super) unconfirmed: Option<Unconfirmed>,
    /// The other end knows the call no more; it says why until then.
    last_word_due: Option<Instant>,
    /// Messages of the peer that the client cannot be given yet.
    pub(super) waiting: Waiting,
}

/// An answer that was sent to a caller of dialect 1, which has not said anything of the call since.
/// If the connection is lost, the client may not even know the call's id.
pub(super) struct Unconfirmed {
    /// `None`: there was no room to keep it.
    pub(super) sdp_answer: Option<OwnedOpaque>,
    /// A connection that is alive then has delivered it.
    pub(super) until: Instant,
}

/// Which end this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Caller,
    Callee,
}

/// How far the call got.
pub(super) enum Phase {
    /// Nobody answered yet.
    Ringing {
        /// When it is over.
        deadline: Instant,
        /// The callee's end keeps the offer, to ring again when its client comes back.
        offer: Option<Offer>,
    },
    /// The callee answered.
    Active,
    /// Known by its token alone: the server is younger than the call and does not know how far
    /// it got, nor whether the other end still knows it.
    Recovered {
        /// Whether it was answered, as far as its client knows.
        answered: bool,
        /// When it is over, if its client says that it was not answered yet.
        deadline: Option<Instant>,
    },
}

/// Whether the client now behind this session has shown that the call is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// The client was not told the call's id yet. It is told when there is something to tell,
    /// whoever registered the id last: a call that is being set up follows the id.
    Untold,
    /// This client was told the id, or presented it.
    Proven,
    /// Another connection has registered since, or the server has been restarted. Until its client
    /// presents the id it learns nothing of the call but its end.
    Unproven {
        /// Whether a client has taken part in it here, and not others' mail alone.
        taken_part: bool,
        /// When the call is given up. None: a client of dialect 1 does not say which calls it is
        /// in, so it may present this one at any time.
        deadline: Option<Instant>,
    },
}

impl Call {
    /// A call that begins now.
    pub(super) fn ringing(
        id: Box<str>,
        peer: ClientId,
        role: Role,
        deadline: Instant,
        offer: Option<Offer>,
    ) -> Self {
        Self::new(id, peer, role, Phase::Ringing { deadline, offer }, Claim::Untold)
    }

    /// A call from before the server started.
    pub(super) fn recovered(id: &str, peer: ClientId, role: Role, claim: Claim) -> Self {
        let phase = Phase::Recovered { answered: false, deadline: None };
        Self { recovered: true, ..Self::new(id.into(), peer, role, phase, claim) }
    }

    fn new(id: Box<str>, peer: ClientId, role: Role, phase: Phase, claim: Claim) -> Self {
        Self {
            id,
            peer,
            role,
            phase,
            claim,
            recovered: false,
            ring_under_way: false,
            loses_when_the_other_rings: false,
            denied: false,
            owner: None,
            unconfirmed: None,
            last_word_due: None,
            waiting: Waiting::default(),
        }
    }

    /// When this call wants the time.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let confirmed = self.unconfirmed.as_ref().map(|answer| answer.until);
        let claim = self.claim_deadline();
        let ends = self.phase_deadline().into_iter().chain(claim).chain(self.last_word_due);
        ends.chain(confirmed).min()
    }

    /// Returns true if it ends now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let ends = [self.phase_deadline(), self.claim_deadline(), self.last_word_due];
        ends.into_iter().flatten().any(|deadline| deadline <= now)
    }

    fn phase_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Ringing { deadline, .. } => Some(deadline),
            Phase::Recovered { deadline, .. } => deadline,
            Phase::Active => None,
        }
    }

    fn claim_deadline(&self) -> Option<Instant> {
        match self.claim {
            Claim::Unproven { deadline, .. } => deadline,
            Claim::Untold | Claim::Proven => None,
        }
    }

    /// The reason for which it ends when its deadline comes. Both ends have deadlines of their own
    /// and give the same reason: an unanswered call has timed out, whoever notices.
    pub(super) fn expiry_reason(&self, now: Instant) -> EndReason {
        let has_come = |deadline: Option<Instant>| deadline.is_some_and(|due| due <= now);
        if has_come(self.phase_deadline()) {
            EndReason::Timeout
        } else if has_come(self.claim_deadline()) {
            // Somebody is registered under the id, and has not shown that the call is its own.
            EndReason::Superseded
        } else {
            EndReason::Unreachable
        }
    }

    /// The offer that is kept to ring again.
    pub(super) fn offer(&self) -> Option<&Offer> {
        match &self.phase {
            Phase::Ringing { offer, .. } => offer.as_ref(),
            _ => None,
        }
    }

    pub(super) fn offer_mut(&mut self) -> Option<&mut Offer> {
        match &mut self.phase {
            Phase::Ringing { offer, .. } => offer.as_mut(),
            _ => None,
        }
    }

    /// How long the offer is that is kept to ring again.
    pub(super) fn offer_bytes(&self) -> usize {
        self.offer().map_or(0, |offer| offer.sdp.as_opaque().len())
    }

    /// The bytes that are kept for the client, beside the offer.
    pub(super) fn kept_bytes(&self) -> usize {
        let answer = self.unconfirmed.as_ref().and_then(|answer| answer.sdp_answer.as_ref());
        self.waiting.bytes() + answer.map_or(0, |sdp_answer| sdp_answer.as_opaque().len())
    }

    /// The client has said something of the call.
    pub(super) fn confirm(&mut self) {
        self.unconfirmed = None;
        if let Some(offer) = self.offer_mut() {
            offer.confirm();
        }
    }

    /// Returns true if its client may lack the answer that it was sent.
    pub(super) fn is_unconfirmed(&self, now: Instant) -> bool {
        self.unconfirmed.as_ref().is_some_and(|answer| now < answer.until)
    }

    /// Returns true if its client may lack the answer, and that is not kept.
    pub(super) fn has_lost_its_answer_at(&self, now: Instant) -> bool {
        let is_kept = |answer: &Unconfirmed| answer.sdp_answer.is_some();
        self.is_unconfirmed(now) && !self.unconfirmed.as_ref().is_some_and(is_kept)
    }

    /// The other end's session has ended the call, and says why in a mail that is under way.
    pub(super) fn await_last_word(&mut self, now: Instant) {
        if !self.ring_under_way {
            self.last_word_due.get_or_insert(now + LAST_WORD_TIMEOUT);
        }
    }

    /// The peer, whose client says so, takes the call for answered or not. If not, both ends have a
    /// deadline, so that both give the same reason when it comes.
    pub(super) fn note_presented(&mut self, answered_there: bool, due: Instant) {
        let is_claimed = self.is_claimed();
        if let Phase::Recovered { answered: false, deadline } = &mut self.phase {
            match answered_there {
                false => *deadline = deadline.or(Some(due)),
                true if !is_claimed => *deadline = None,
                true => {}
            }
        }
    }

    /// Returns true if its client, as far as that knows, still waits for somebody to answer.
    pub(super) fn is_unanswered_for_its_client(&self) -> bool {
        let untold = matches!(self.phase, Phase::Active) && self.claim == Claim::Untold;
        self.is_ringing() || untold
    }

    /// Returns true if the registration of `stream` may have it. `None`: one of dialect 1.
    pub(super) fn admits(&self, stream: Option<&Stream>) -> bool {
        let admits = |owner: &Owner| stream.is_some_and(|stream| owner.admits(stream));
        self.claim == Claim::Proven || self.owner.as_ref().is_none_or(admits)
    }

    /// From now on it belongs to the registration of `stream`, if it was answered or has an owner.
    pub(super) fn bind(&mut self, stream: Option<&Stream>) {
        let has_owner = self.owner.is_some() || !self.is_unanswered();
        if let Some(stream) = stream.filter(|_| has_owner) {
            self.owner = Some(Owner::new(stream));
        }
    }

    pub(super) fn is_ringing(&self) -> bool {
        matches!(self.phase, Phase::Ringing { .. })
    }

    /// Another connection has registered, which has not presented it. `deadline` is when it is given
    /// up; None where that registration does not say so.
    pub(super) fn await_proof(&mut self, deadline: Option<Instant>) {
        self.claim = match self.claim {
            Claim::Unproven { taken_part, deadline: earlier } => {
                Claim::Unproven { taken_part, deadline: earlier.or(deadline) }
            }
            Claim::Untold | Claim::Proven => Claim::Unproven { taken_part: true, deadline },
        };
    }

    /// Whether this session itself has taken part in it. A call that somebody's mail says it is in
    /// does not count until its client says so, too: old calls could otherwise make it busy.
    pub(super) fn is_claimed(&self) -> bool {
        !matches!(self.claim, Claim::Unproven { taken_part: false, .. })
    }

    /// Whether nobody has answered it, as far as is known.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.phase, Phase::Ringing { .. } | Phase::Recovered { answered: false, .. })
    }

    /// Whether the callee may answer it. After a restart it may once more, whatever it believes:
    /// its first answer may not have reached the caller.
    pub(super) fn is_acceptable(&self) -> bool {
        !matches!(self.phase, Phase::Active)
    }

    /// Whether its client has lost the answer: it says that there was none. The caller's was in a
    /// stream that is gone, the callee has forgotten what it said.
    pub(super) fn has_lost_its_answer(&self, answered: bool) -> bool {
        matches!(self.phase, Phase::Active) && !answered
    }

    /// Whether somebody else rings here, and the client has not answered.
    pub(super) fn rings_here(&self) -> bool {
        self.role == Role::Callee && self.is_ringing()
    }

    /// Whether it was said to be unanswered still.
    pub(super) fn is_being_set_up(&self) -> bool {
        matches!(self.phase, Phase::Ringing { .. } | Phase::Recovered { deadline: Some(_), .. })
    }
}

impl Role {
    /// Which end of the call `client_id` is, and who is at the other. None: it is at neither.
    pub(super) fn of(client_id: &ClientId, parties: Parties) -> Option<(Self, ClientId)> {
        match (parties.caller == *client_id, parties.callee == *client_id) {
            (true, false) => Some((Self::Caller, parties.callee)),
            (false, true) => Some((Self::Callee, parties.caller)),
            _ => None,
        }
    }
}
