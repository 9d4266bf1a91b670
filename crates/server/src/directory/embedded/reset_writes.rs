//! Writes resets: requested, counted, withdrawn, executed.

use std::time::Duration;

use redb::ReadableTable as _;
use securecall_core::resets::{Asked, PendingReset, ask};
use securecall_identity::{Head, Id, Link, Rotations, TIME_MAX};
use securecall_protocol::ClientId;
use tracing::{info, warn};

use super::ledger::{Ledger, StoredHead};
use super::tables::corrupted;
use crate::directory::Reset;

impl Ledger<'_> {
    /// Removes the key of an id, or makes its reset pending.
    pub(super) fn ask_for_reset(
        &mut self,
        client_id: &ClientId,
        delay: Duration,
        now: u64,
    ) -> Result<Reset, redb::Error> {
        let text = client_id.as_str();
        // An id of an older format that cannot have a chain.
        let head = match Id::parse(text) {
            Ok(id) => self.head(&id)?,
            Err(_) => None,
        };
        let pending = self.resets.get(text)?.map(|row| pending(row.value().0));
        match ask(head.as_ref().map(|stored| &stored.head), pending, delay) {
            Asked::AtOnce => {
                let had_key = self.remove_key(client_id)?;
                Ok(if had_key { Reset::Done } else { Reset::Nothing })
            }
            Asked::Pending(waits) => {
                if pending.is_none() {
                    self.resets.insert(text, (millis(waits.left), now))?;
                    self.changed = true;
                }
                Ok(Reset::Pending { seconds: waits.left.as_secs() })
            }
            Asked::Certified => Ok(Reset::Certified),
            Asked::Ended => Ok(Reset::Ended),
        }
    }

    /// Withdraws a pending reset. Returns whether there was one.
    pub(super) fn cancel_reset(&mut self, id: &ClientId) -> Result<bool, redb::Error> {
        let had_reset = self.resets.remove(id.as_str())?.is_some();
        self.changed |= had_reset;
        Ok(had_reset)
    }

    /// Counts time for all pending resets.
    pub(super) fn count_time(&mut self, elapsed: Duration) -> Result<(), redb::Error> {
        for (id, left, asked_at) in self.pending_resets()? {
            let pending = pending(left).counted(elapsed);
            self.resets.insert(&*id, (millis(pending.left), asked_at))?;
            self.changed = true;
        }
        Ok(())
    }

    /// Executes the resets that are due, and returns the time before the next counting.
    pub(super) fn execute_resets(&mut self, now: u64) -> Result<Option<Duration>, redb::Error> {
        let mut next: Option<Duration> = None;
        for (id, left, _) in self.pending_resets()? {
            let pending = pending(left);
            if pending.is_due() {
                self.execute_reset(&id, now)?;
            } else {
                let wait = pending.next_count();
                next = Some(next.map_or(wait, |next| next.min(wait)));
            }
        }
        Ok(next)
    }

    fn pending_resets(&self) -> Result<Vec<(Box<str>, u64, u64)>, redb::Error> {
        let rows = self.resets.range::<&str>(..)?.map(|row| {
            let (id, reset) = row?;
            let (left, asked_at) = reset.value();
            Ok((id.value().into(), left, asked_at))
        });
        rows.collect()
    }

    fn execute_reset(&mut self, text: &str, now: u64) -> Result<(), redb::Error> {
        let id = Id::parse(text).map_err(|_| corrupted("a reset"))?;
        let stored = self.head(&id)?.ok_or_else(|| corrupted("a reset"))?;
        let made = Link::reset(&stored.head, now.min(TIME_MAX));
        let made = made.and_then(|link| Ok((Head::begin(&link)?, link)));
        let (head, link) = match made {
            Ok(made) => made,
            Err(reason) => {
                warn!(%reason, "a pending reset could not be executed");
                self.resets.remove(text)?;
                self.changed = true;
                return Ok(());
            }
        };
        // The owner who lost the identity key lost the other keys with it.
        self.keys.remove(text)?;
        self.put_link(&link, &StoredHead { head, rotations: Rotations::default() }, false)?;
        info!("a pending reset was executed");
        Ok(())
    }
}

fn pending(left: u64) -> PendingReset {
    PendingReset { left: Duration::from_millis(left) }
}

fn millis(left: Duration) -> u64 {
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}
