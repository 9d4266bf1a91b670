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

use securecall_protocol::ClientId;

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
        /// Whether it must have been answered before.
        answered: bool,
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
    /// A client was told, and another connection has registered since. Until it presents the id it
    /// learns nothing of the call but its end.
    Unproven {
        /// When the call is given up. None: the call is as old as the registration, so an end
        /// that is connected keeps it.
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
        // A caller learns the id from CALL_ACCEPTED: if it presents one, the call was answered.
        let answered = role == Role::Caller && claim == Claim::Proven;
        let phase = Phase::Recovered { answered };
        let waiting = Waiting::default();
        Self { id: id.into(), peer, role, phase, claim, recovered: true, waiting }
    }

    /// When this call wants the time.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match (&self.phase, self.claim) {
            (Phase::Ringing { deadline, .. }, _) => Some(*deadline),
            (_, Claim::Unproven { deadline }) => deadline,
            _ => None,
        }
    }

    pub(super) fn is_ringing(&self) -> bool {
        matches!(self.phase, Phase::Ringing { .. })
    }

    /// Whether this session itself has taken part in it. A call that somebody's mail says it is in
    /// does not count until its client says so, too: old calls could otherwise make it busy.
    pub(super) fn is_claimed(&self) -> bool {
        !matches!(self.claim, Claim::Unproven { deadline: Some(_) })
    }

    /// Whether the callee may still answer it.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.phase, Phase::Ringing { .. } | Phase::Recovered { answered: false })
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
