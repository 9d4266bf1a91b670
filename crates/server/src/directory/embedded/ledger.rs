//! All tables of the directory, open in one write transaction, and what the transaction changed.

use redb::{ReadableTable as _, ReadableTableMetadata as _, Table, WriteTransaction};
use securecall_core::directory::{Creation, Decision, Terms, decide};
use securecall_identity::{Head, Id, Link, Rotations};
use securecall_protocol::ClientId;

use super::index::Move;
use super::tables::{BUNDLES, HEADS, KEYS, LINKS, RESETS, corrupted};
use crate::directory::{RegisterError, Registered};

/// The open tables. The only thread that writes decides here.
pub(crate) struct Ledger<'t> {
    pub(super) keys: Table<'t, &'static str, &'static str>,
    pub(super) links: Table<'t, (&'static str, u32, u8), &'static [u8]>,
    pub(super) heads: Table<'t, &'static str, (u64, &'static [u8])>,
    pub(super) bundles: Table<'t, &'static str, &'static [u8]>,
    pub(super) resets: Table<'t, &'static str, (u64, u64)>,
    /// The bound of records.
    records_max: u64,
    /// Whether anything was written.
    pub(super) changed: bool,
    /// The heads that were written, in their order.
    pub(super) moves: Vec<Move>,
}

/// The stored state of a chain, beside its links.
pub(crate) struct StoredHead {
    pub(crate) head: Head,
    pub(crate) rotations: Rotations,
}

impl<'t> Ledger<'t> {
    pub(crate) fn open(
        transaction: &'t WriteTransaction,
        records_max: u64,
    ) -> Result<Self, redb::Error> {
        Ok(Self {
            keys: transaction.open_table(KEYS)?,
            links: transaction.open_table(LINKS)?,
            heads: transaction.open_table(HEADS)?,
            bundles: transaction.open_table(BUNDLES)?,
            resets: transaction.open_table(RESETS)?,
            records_max,
            changed: false,
            moves: Vec::new(),
        })
    }

    /// Returns the number of records: a key is one, and a chain is one.
    pub(crate) fn records(&self) -> Result<u64, redb::Error> {
        Ok(self.keys.len()? + self.heads.len()?)
    }

    pub(super) fn is_full(&self) -> Result<bool, redb::Error> {
        Ok(self.records()? >= self.records_max)
    }

    /// Registers a key, unless it is registered already.
    pub(crate) fn register(
        &mut self,
        id: &str,
        key: &str,
        terms: Terms,
    ) -> Result<Result<Registered, RegisterError>, redb::Error> {
        let full = self.is_full()?;
        let creation = if full { Creation::Refused } else { terms.creation };
        let existing = self.keys.get(id)?;
        let stored = existing.as_ref().map(|key| key.value());
        let decision = decide(stored, key, Terms { creation, ..terms });
        drop(existing);
        let registered = match decision {
            Decision::Create => Registered::Created,
            Decision::Replace => Registered::Replaced,
            Decision::Keep => return Ok(Ok(Registered::Kept)),
            Decision::Pinned => return Ok(Err(RegisterError::Pinned)),
            Decision::NotCreated if full => return Ok(Err(RegisterError::Full)),
            Decision::NotCreated => return Ok(Err(RegisterError::NotCreated)),
        };
        self.put_key(id, key)?;
        Ok(Ok(registered))
    }

    pub(super) fn put_key(&mut self, id: &str, key: &str) -> Result<(), redb::Error> {
        self.keys.insert(id, key)?;
        self.changed = true;
        Ok(())
    }

    /// Removes the key of an id. Returns whether it had one.
    pub(super) fn remove_key(&mut self, id: &ClientId) -> Result<bool, redb::Error> {
        let had_key = self.keys.remove(id.as_str())?.is_some();
        self.changed |= had_key;
        Ok(had_key)
    }

    /// Returns the head of an id's chain, or `None` if it has none.
    pub(super) fn head(&self, id: &Id) -> Result<Option<StoredHead>, redb::Error> {
        let Some(stored) = self.heads.get(id.as_str())? else { return Ok(None) };
        let (paid_at, bytes) = stored.value();
        let head = Head::from_stored(id, bytes).ok_or_else(|| corrupted("a head"))?;
        Ok(Some(StoredHead { head, rotations: Rotations::from_paid_at(paid_at) }))
    }

    /// Writes a link and the head that follows from it. Removes what belonged to the head before: its
    /// bundle, and the pending reset that the link vetoes or executes.
    pub(super) fn put_link(
        &mut self,
        link: &Link,
        stored: &StoredHead,
        is_new: bool,
    ) -> Result<(), redb::Error> {
        let (id, position) = (link.id().as_str(), link.position());
        self.links.insert((id, position.epoch, position.sequence), link.as_bytes())?;
        let head = stored.head.to_stored();
        self.heads.insert(id, (stored.rotations.paid_at(), head.as_slice()))?;
        self.bundles.remove(id)?;
        self.resets.remove(id)?;
        self.changed = true;
        let (kind, binding) = (link.kind(), stored.head.binding());
        self.moves.push(Move { id: id.into(), kind, position, binding, is_new });
        Ok(())
    }
}
