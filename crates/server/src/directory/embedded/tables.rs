//! The tables of the database, and the checks that their rows belong together.
//!
//! | table | row |
//! |---|---|
//! | `keys` | id → key, a raw JSON string |
//! | `links` | id, epoch, sequence number → link |
//! | `heads` | id → the time up to which rotations are paid for, the head as `securecall_identity` stores it |
//! | `bundles` | id → bundle of the head |
//! | `resets` | id → what is left of the delay, in milliseconds; when it was asked for, in seconds since 1970 |
//!
//! The links of earlier epochs stay, for whoever asks later what an operator reset.

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTableMetadata as _, TableDefinition,
};
use securecall_identity::{Head, Outline, Position};

use super::index::Move;

pub(crate) const KEYS: TableDefinition<'_, &str, &str> = TableDefinition::new("keys");
pub(crate) const LINKS: TableDefinition<'_, (&str, u32, u8), &[u8]> = TableDefinition::new("links");
pub(crate) const HEADS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("heads");
pub(crate) const BUNDLES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("bundles");
pub(crate) const RESETS: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("resets");

/// Returns the error for a row that this program did not write.
pub(crate) fn corrupted(what: &str) -> redb::Error {
    redb::Error::Corrupted(format!("{what} is not what was stored"))
}

/// Returns the number of records: a key is one, and a chain is one.
pub(crate) fn records(database: &Database) -> Result<u64, redb::Error> {
    let transaction = database.begin_read()?;
    Ok(transaction.open_table(KEYS)?.len()? + transaction.open_table(HEADS)?.len()?)
}

/// Checks that every chain is whole, down to the hashes by which its links name each other, and
/// that each head is that of its chain. Signatures were verified before they were stored.
pub(crate) fn check(transaction: &ReadTransaction) -> Result<(), redb::Error> {
    let links = match transaction.open_table(LINKS) {
        // A directory from before there were chains.
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        links => links?,
    };
    let heads = transaction.open_table(HEADS)?;
    let mut ends = 0;
    let mut before: Option<Outline> = None;
    for row in links.range::<(&str, u32, u8)>(..)? {
        let (place, link) = row?;
        let (id, epoch, sequence) = place.value();
        let link = Outline::read(link.value()).map_err(|_| corrupted("a link"))?;
        let Position { epoch: own_epoch, sequence: own_sequence, .. } = link.position;
        if link.id.as_str() != id || (own_epoch, own_sequence) != (epoch, sequence) {
            return Err(corrupted("a link"));
        }
        match &before {
            Some(before) if before.id == link.id => check_follows(before, &link)?,
            before => {
                ends += u64::from(before.is_some());
                check_head(&heads, before.as_ref())?;
            }
        }
        before = Some(link);
    }
    ends += u64::from(before.is_some());
    check_head(&heads, before.as_ref())?;
    if heads.len()? == ends { Ok(()) } else { Err(corrupted("a head")) }
}

/// Checks that a link names the one before it; a reset does so across epochs.
fn check_follows(before: &Outline, link: &Outline) -> Result<(), redb::Error> {
    let (old, new) = (before.position, link.position);
    let is_next = (old.epoch, old.sequence.checked_add(1)) == (new.epoch, Some(new.sequence));
    let is_reset = (old.epoch.checked_add(1), 0) == (Some(new.epoch), new.sequence);
    let follows = (is_next || is_reset) && link.previous == old.hash;
    if follows { Ok(()) } else { Err(corrupted("a chain")) }
}

fn check_head(
    heads: &redb::ReadOnlyTable<&'static str, (u64, &'static [u8])>,
    newest: Option<&Outline>,
) -> Result<(), redb::Error> {
    let Some(newest) = newest else { return Ok(()) };
    let stored = heads.get(newest.id.as_str())?.ok_or_else(|| corrupted("a chain"))?;
    let position = Head::stored_position(stored.value().1).map(|(position, _)| position);
    if position == Some(newest.position) { Ok(()) } else { Err(corrupted("a head")) }
}

/// Returns the heads of all chains, or of these ids.
pub(crate) fn heads(
    database: &Database,
    ids: Option<&[Box<str>]>,
) -> Result<Vec<Move>, redb::Error> {
    let transaction = database.begin_read()?;
    let (heads, links) = (transaction.open_table(HEADS)?, transaction.open_table(LINKS)?);
    let mut found = Vec::new();
    let mut take = |id: &str, stored: &[u8]| {
        let (position, binding) =
            Head::stored_position(stored).ok_or_else(|| corrupted("a head"))?;
        let newest = links.get((id, position.epoch, position.sequence))?;
        let newest = newest.and_then(|link| Outline::read(link.value()).ok());
        let kind = newest.ok_or_else(|| corrupted("a chain"))?.kind;
        found.push(Move { id: id.into(), kind, position, binding, is_new: true });
        Ok::<_, redb::Error>(())
    };
    match ids {
        Some(ids) => {
            for id in ids {
                if let Some(stored) = heads.get(&**id)? {
                    take(id, stored.value().1)?;
                }
            }
        }
        None => {
            for row in heads.range::<&str>(..)? {
                let (id, stored) = row?;
                take(id.value(), stored.value().1)?;
            }
        }
    }
    Ok(found)
}
