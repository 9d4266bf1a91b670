//! The offer of a ringing call, kept to ring again.
//!
//! Some clients cannot take an offer at all: their library closes the connection over a message
//! that is too long for it, or the program dies of it. Such a client comes back, is rung again, and
//! is gone again. A connection that is lost within [`SETTLING`] of an offer, without a message
//! about the call, counts as lost to it; after [`LOSSES_MAX`] of those the call is given up.

use std::time::Duration;

use securecall_protocol::OwnedOpaque;

use crate::time::Instant;

/// The time in which a client finds out that it cannot take an offer. One that is still there
/// afterwards has it.
pub(super) const SETTLING: Duration = Duration::from_secs(5);
/// The number of connections in a row that an offer may cost.
pub(super) const LOSSES_MAX: u8 = 3;

/// An offer at the callee's end.
pub(super) struct Offer {
    pub(super) sdp: OwnedOpaque,
    /// The time at which the client was sent it last. `None`: it has shown that it has it.
    delivered: Option<Instant>,
    /// The number of that message, in dialect 2.
    seq: u64,
    losses: u8,
}

impl Offer {
    pub(super) fn new(sdp: OwnedOpaque) -> Self {
        Self { sdp, delivered: None, seq: 0, losses: 0 }
    }

    /// The client is sent it now, as message `seq`.
    pub(super) fn deliver(&mut self, now: Instant, seq: u64) {
        self.delivered = Some(now);
        self.seq = seq;
    }

    /// The messages after `seq` are sent again now; the client has the others.
    pub(super) fn deliver_after(&mut self, now: Instant, seq: u64) {
        self.delivered = (self.seq > seq).then_some(now);
    }

    /// The client has it.
    pub(super) fn confirm(&mut self) {
        self.delivered = None;
        self.losses = 0;
    }

    /// The client has every message up to `seq`.
    pub(super) fn confirm_until(&mut self, seq: u64) {
        if self.seq <= seq {
            self.confirm();
        }
    }

    /// Returns true if a connection that is lost now may be lost to it.
    pub(super) fn is_suspect(&self, now: Instant) -> bool {
        self.delivered.is_some_and(|delivered| now.since(delivered) < SETTLING)
    }

    /// The connection is lost, and is counted as lost to this offer.
    pub(super) fn blame(&mut self) {
        self.losses = self.losses.saturating_add(1);
    }

    /// Returns true if it has cost as many connections as it may.
    pub(super) fn is_given_up(&self) -> bool {
        self.losses >= LOSSES_MAX
    }
}
