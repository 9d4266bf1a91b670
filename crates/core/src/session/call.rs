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

use securecall_protocol::{ClientId, EndReason};

use super::waiting::Waiting;
use crate::call_id::Parties;
use crate::time::Instant;

/// One session's record of a call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: Box<str>,
    pub(super) peer: ClientId,
    pub(super) role: Role,
    pub(super) phase: Phase,
    pub(super) claim: Claim,
    /// It is from before the server started: its id alone would bring it back.
    pub(super) recovered: bool,
    /// Messages of the peer that the client cannot be given yet.
    pub(super) waiting: Waiting,
}

/// Which end this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Caller,
    Callee,
}

/// How far the call got.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nobody answered yet.
    Ringing {
        /// When it is over.
        deadline: Instant,
        /// The callee's end keeps the offer, to ring again when its client comes back.
        sdp_offer: Option<Box<str>>,
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
        sdp_offer: Option<Box<str>>,
    ) -> Self {
        let phase = Phase::Ringing { deadline, sdp_offer };
        let (claim, waiting) = (Claim::Untold, Waiting::default());
        Self { id, peer, role, phase, claim, recovered: false, waiting }
    }

    /// A call from before the server started.
    pub(super) fn recovered(id: &str, peer: ClientId, role: Role, claim: Claim) -> Self {
        let phase = Phase::Recovered { answered: false, deadline: None };
        let waiting = Waiting::default();
        Self { id: id.into(), peer, role, phase, claim, recovered: true, waiting }
    }

    /// When this call wants the time.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Ringing { deadline, .. } => return Some(deadline),
            Phase::Recovered { deadline, .. } => deadline,
            Phase::Active => None,
        };
        let claim = match self.claim {
            Claim::Unproven { deadline, .. } => deadline,
            Claim::Untold | Claim::Proven => None,
        };
        phase.into_iter().chain(claim).min()
    }

    /// How long the offer is that is kept to ring again.
    pub(super) fn offer_bytes(&self) -> usize {
        match &self.phase {
            Phase::Ringing { sdp_offer: Some(sdp_offer), .. } => sdp_offer.len(),
            _ => 0,
        }
    }

    /// Why it ends when its deadline comes.
    pub(super) fn expiry_reason(&self) -> EndReason {
        match (&self.phase, self.claim) {
            // Somebody is registered under the id, and has not shown that the call is its own.
            (
                Phase::Active | Phase::Recovered { .. },
                Claim::Unproven { deadline: Some(_), .. },
            ) => EndReason::Superseded,
            _ => EndReason::Timeout,
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
