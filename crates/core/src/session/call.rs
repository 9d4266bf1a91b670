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

use super::deferred::DeferredQueue;
use super::offer::Offer;
use super::tokens::ResumeTokens;
use crate::call_id::Parties;
use crate::time::Instant;

/// The time for the end of a call to arrive that the other end does not know any more.
const END_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// The client has presented the id, and was refused: CALL_NOT_FOUND.
    pub(super) denied: bool,
    /// The registration that it belongs to since it was answered. `None`: any that presents the id.
    pub(super) owner: Option<ResumeTokens>,
    /// An answer that a client of dialect 1 was sent and may not have.
    pub(super) unconfirmed: Option<Unconfirmed>,
    /// The other end does not know the call any more; its reason arrives until then.
    end_due: Option<Instant>,
    /// Messages of the peer that the client cannot be sent yet.
    pub(super) deferred: DeferredQueue,
}

/// An answer that was sent to a caller of dialect 1, which has sent nothing about the call since. If
/// the connection is lost, the client may not even know the call's id.
pub(super) struct Unconfirmed {
    /// `None`: there was no room to keep it.
    pub(super) sdp_answer: Option<OwnedOpaque>,
    /// A connection that is alive then has delivered it.
    pub(super) until: Instant,
}

/// The end of the call that this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Caller,
    Callee,
}

/// The progress of the call.
pub(super) enum Phase {
    /// Nobody answered yet.
    Ringing {
        /// Then it times out.
        deadline: Instant,
        /// The callee's end keeps the offer, to ring again when its client comes back.
        offer: Option<Offer>,
    },
    /// The callee answered.
    Active,
    /// Known by its token alone: the server is younger than the call and does not know how far
    /// it got, nor whether the other end still knows it.
    Recovered {
        /// True if it was answered, as far as its client knows.
        answered: bool,
        /// Then it times out, if one of the clients presents it as unanswered.
        deadline: Option<Instant>,
    },
}

/// The evidence that the call is that of the client which is now behind this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// The client was not sent the call's id yet. The first message about the call brings it, to
    /// whichever connection registered last: a call that is being set up follows the client id.
    Unannounced,
    /// This client was sent the id, or presented it.
    Proven,
    /// Another connection has registered since, or the server has been restarted. Until its client
    /// presents the id it is sent nothing of the call but its end.
    Unproven {
        /// True if a client has taken part in it here, and not others' mail alone.
        taken_part: bool,
        /// Then the call is given up. `None`: REGISTER of dialect 1 does not name the client's calls,
        /// so it may present this one at any time.
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
        Self::new(id, peer, role, Phase::Ringing { deadline, offer }, Claim::Unannounced)
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
            end_due: None,
            deferred: DeferredQueue::default(),
        }
    }

    /// The first of its deadlines.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let confirmed = self.unconfirmed.as_ref().map(|answer| answer.until);
        let claim = self.claim_deadline();
        let ends = self.phase_deadline().into_iter().chain(claim).chain(self.end_due);
        ends.chain(confirmed).min()
    }

    /// Returns true if it ends now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let ends = [self.phase_deadline(), self.claim_deadline(), self.end_due];
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
            Claim::Unannounced | Claim::Proven => None,
        }
    }

    /// The reason for which it ends when its deadline comes. Both ends have deadlines of their own
    /// and give the same reason: an unanswered call has timed out, whichever end notices.
    pub(super) fn expiry_reason(&self, now: Instant) -> EndReason {
        let has_come = |deadline: Option<Instant>| deadline.is_some_and(|due| due <= now);
        if has_come(self.phase_deadline()) {
            EndReason::Timeout
        } else if has_come(self.claim_deadline()) {
            // A client is registered under the id, and has not shown that the call is its own.
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

    /// The bytes of the offer that is kept to ring again.
    pub(super) fn offer_bytes(&self) -> usize {
        self.offer().map_or(0, |offer| offer.sdp.as_opaque().len())
    }

    /// The bytes that are held for the client, beside the offer.
    pub(super) fn held_bytes(&self) -> usize {
        let answer = self.unconfirmed.as_ref().and_then(|answer| answer.sdp_answer.as_ref());
        self.deferred.bytes() + answer.map_or(0, |sdp_answer| sdp_answer.as_opaque().len())
    }

    /// The client has sent a message about the call: it has the offer, or the answer.
    pub(super) fn confirm(&mut self) {
        self.unconfirmed = None;
        if let Some(offer) = self.offer_mut() {
            offer.confirm();
        }
    }

    /// A connection that has been alive for so long has delivered the answer.
    pub(super) fn confirm_delivered(&mut self, now: Instant) {
        if self.unconfirmed.as_ref().is_some_and(|answer| answer.until <= now) {
            self.unconfirmed = None;
        }
    }

    /// Returns true if its client may lack the answer that it was sent.
    pub(super) fn is_unconfirmed(&self, now: Instant) -> bool {
        self.unconfirmed.as_ref().is_some_and(|answer| now < answer.until)
    }

    /// Returns true if its client may lack the answer, which is not kept.
    pub(super) fn has_lost_its_answer_at(&self, now: Instant) -> bool {
        let is_kept = |answer: &Unconfirmed| answer.sdp_answer.is_some();
        self.is_unconfirmed(now) && !self.unconfirmed.as_ref().is_some_and(is_kept)
    }

    /// The other end's session has ended the call, and the mail with its reason is under way.
    pub(super) fn await_end(&mut self, now: Instant) {
        if !self.ring_under_way {
            self.end_due.get_or_insert(now + END_TIMEOUT);
        }
    }

    /// The peer's client has presented the call, as answered or not. If not, both ends have a
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

    /// Returns true if nobody has answered it, as far as its client knows.
    pub(super) fn is_unanswered_for_its_client(&self) -> bool {
        let unannounced = matches!(self.phase, Phase::Active) && self.claim == Claim::Unannounced;
        self.is_ringing() || unannounced
    }

    /// Returns true if the registration with these tokens may have it. `None`: one of dialect 1.
    pub(super) fn admits(&self, tokens: Option<&ResumeTokens>) -> bool {
        let admits = |owner: &ResumeTokens| tokens.is_some_and(|tokens| owner.have_one_of(tokens));
        self.claim == Claim::Proven || self.owner.as_ref().is_none_or(admits)
    }

    /// From now on it belongs to the registration with these tokens, if it was answered or has an
    /// owner.
    pub(super) fn bind(&mut self, tokens: Option<&ResumeTokens>) {
        let has_owner = self.owner.is_some() || !self.is_unanswered();
        if let Some(tokens) = tokens.filter(|_| has_owner) {
            self.owner = Some(tokens.clone());
        }
    }

    pub(super) fn is_ringing(&self) -> bool {
        matches!(self.phase, Phase::Ringing { .. })
    }

    /// Another connection has registered, which has not presented it. It is given up at `deadline`;
    /// never by itself if that is `None`.
    pub(super) fn await_proof(&mut self, deadline: Option<Instant>) {
        self.claim = match self.claim {
            Claim::Unproven { taken_part, deadline: earlier } => {
                Claim::Unproven { taken_part, deadline: earlier.or(deadline) }
            }
            Claim::Unannounced | Claim::Proven => Claim::Unproven { taken_part: true, deadline },
        };
    }

    /// Returns true if this session itself has taken part in it. A call that is known from another
    /// client's mail alone does not count until its client presents it: old calls could otherwise
    /// make the client busy.
    pub(super) fn is_claimed(&self) -> bool {
        !matches!(self.claim, Claim::Unproven { taken_part: false, .. })
    }

    /// Returns true if nobody has answered it, as far as this session knows.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.phase, Phase::Ringing { .. } | Phase::Recovered { answered: false, .. })
    }

    /// Returns true if the callee may answer it. After a restart it may once more, whatever it
    /// believes: its first answer may not have reached the caller.
    pub(super) fn is_acceptable(&self) -> bool {
        !matches!(self.phase, Phase::Active)
    }

    /// Returns true if its client presents it as unanswered, and it was answered. The caller's answer
    /// was in a replay buffer that is gone, or the callee has forgotten its own.
    pub(super) fn has_lost_its_answer(&self, answered: bool) -> bool {
        matches!(self.phase, Phase::Active) && !answered
    }

    /// Returns true if the peer rings here, and the client has not answered.
    pub(super) fn rings_here(&self) -> bool {
        self.role == Role::Callee && self.is_ringing()
    }

    /// Returns true if it rings, or was presented as unanswered.
    pub(super) fn is_being_set_up(&self) -> bool {
        matches!(self.phase, Phase::Ringing { .. } | Phase::Recovered { deadline: Some(_), .. })
    }
}

impl Role {
    /// The end of the call at which `client_id` is, and the peer. `None`: it is at neither.
    pub(super) fn of(client_id: &ClientId, parties: Parties) -> Option<(Self, ClientId)> {
        match (parties.caller == *client_id, parties.callee == *client_id) {
            (true, false) => Some((Self::Caller, parties.callee)),
            (false, true) => Some((Self::Callee, parties.caller)),
            _ => None,
        }
    }
}
