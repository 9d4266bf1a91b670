//! The rate of an id's rotations: a rule of the directory that takes the links, on its own clock.
//!
//! A holder of the identity key, a thief included, can rotate. The rate prevents them from using up
//! the places of a chain before the owner comes with the recovery key. It is no part of a chain's
//! validity ([`Head::extend`](crate::Head::extend)), and does not apply to recoveries and
//! tombstones.

use std::time::Duration;

/// The number of rotations that may come at once.
pub const ROTATIONS_BURST: u32 = 4;
/// The time after which one more is allowed. At this rate, the 240 places of a chain last 118 days.
pub const ROTATION_INTERVAL: Duration = Duration::from_secs(12 * 60 * 60);

const INTERVAL: u64 = ROTATION_INTERVAL.as_secs();
const BURST: u64 = INTERVAL * ROTATIONS_BURST as u64;

/// A directory's record of an id's rotations: one number. `Default` is an id that never rotated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotations {
    /// When the rotations so far are paid for, in seconds since 1970.
    paid_at: u64,
}

impl Rotations {
    /// Takes back what was stored.
    pub const fn from_paid_at(paid_at: u64) -> Self {
        Self { paid_at }
    }

    /// The number to store.
    pub const fn paid_at(self) -> u64 {
        self.paid_at
    }

    /// The state after one more rotation at `now`, in seconds since 1970.
    ///
    /// A clock that was set back costs at most the burst: nothing can be owed beyond it.
    ///
    /// # Errors
    /// The time to wait, if it comes too soon.
    pub fn rotate(self, now: u64) -> Result<Self, Duration> {
        let after = self.rotate_at_once(now);
        match after.paid_at.saturating_sub(now.saturating_add(BURST)) {
            0 => Ok(after),
            seconds => Err(Duration::from_secs(seconds)),
        }
    }

    /// The state after a rotation that need not wait, and counts all the same.
    #[must_use]
    pub fn rotate_at_once(self, now: u64) -> Self {
        let paid_at = self.paid_at.clamp(now, now.saturating_add(BURST));
        Self { paid_at: paid_at.saturating_add(INTERVAL) }
    }
}
