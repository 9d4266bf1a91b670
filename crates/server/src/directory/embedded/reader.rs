//! The thread that reads, so that a lookup waits neither on a reactor thread nor behind an fsync.
//!
//! It sees committed records only: each batch reads one snapshot, taken after its last request
//! came in.

use std::sync::mpsc::SyncSender;

use redb::{Database, ReadableDatabase};
use tokio::sync::oneshot;
use tracing::error;

use super::database::unpanicked;
use super::snapshot::{Page, Snapshot};
use super::tables::KEYS;
use super::volume::Volume;
use crate::directory::Unavailable;

/// What the thread is asked for.
pub(crate) enum Question {
    Lookup(Lookup),
    /// A part of a chain: some 30 KB.
    Chain(Box<dyn FnOnce(&Volume) -> Result<(), Unavailable> + Send>),
    Page(NextPage),
}

pub(crate) struct Lookup {
    pub(crate) id: Box<str>,
    pub(crate) answer: oneshot::Sender<Result<Option<Box<str>>, Unavailable>>,
}

/// The next page of an export. The snapshot goes to and fro, so that this thread keeps nothing of
/// an export that is never finished.
pub(crate) struct NextPage {
    /// `None`: the first page, of a snapshot that is taken now.
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) answer: SyncSender<Result<(Page, Snapshot), Unavailable>>,
}

/// Answers a batch: calls wait for lookups, so those come first.
///
/// # Errors
/// A lookup, or a question about a chain, was answered so. An export that broke off says nothing of
/// them.
pub(crate) fn read(volume: &Volume, batch: Vec<Question>) -> Result<(), Unavailable> {
    let mut lookups = Vec::with_capacity(batch.len());
    let (mut chains, mut pages) = (Vec::new(), Vec::new());
    for question in batch {
        match question {
            Question::Lookup(lookup) => lookups.push(lookup),
            Question::Chain(chain) => chains.push(chain),
            Question::Page(page) => pages.push(page),
        }
    }
    let mut looked_up = if lookups.is_empty() { Ok(()) } else { look_up(volume, lookups) };
    for chain in chains {
        looked_up = looked_up.and(chain(volume));
    }
    for NextPage { snapshot, answer } in pages {
        // Whoever asked may have left.
        let _ = answer.send(next_page(volume, snapshot));
    }
    looked_up
}

fn next_page(volume: &Volume, snapshot: Option<Snapshot>) -> Result<(Page, Snapshot), Unavailable> {
    let mut snapshot = match snapshot {
        Some(snapshot) => snapshot,
        None => volume.with(Snapshot::of)?,
    };
    // Not by way of the volume: a snapshot of a database that was closed fails, and the one that is
    // open now has nothing to do with it.
    match unpanicked(|| snapshot.next_page()) {
        Ok(page) => Ok((page, snapshot)),
        Err(reason) => {
            error!(%reason, "an export of the directory broke off");
            Err(Unavailable)
        }
    }
}

fn look_up(volume: &Volume, batch: Vec<Lookup>) -> Result<(), Unavailable> {
    let find = |database: &Database| find(database, &batch);
    // Once more: a commit that fails, on a full disk say, takes the open database from the reader
    // too, and the volume has just opened it again.
    match volume.with(find).or_else(|_| volume.with(find)) {
        Ok(found) => {
            for (lookup, key) in batch.into_iter().zip(found) {
                answer(lookup, Ok(key));
            }
            Ok(())
        }
        Err(unavailable) => {
            for lookup in batch {
                answer(lookup, Err(unavailable));
            }
            Err(unavailable)
        }
    }
}

fn find(database: &Database, batch: &[Lookup]) -> Result<Vec<Option<Box<str>>>, redb::Error> {
    let keys = database.begin_read()?.open_table(KEYS)?;
    let mut found = Vec::with_capacity(batch.len());
    for lookup in batch {
        found.push(keys.get(&*lookup.id)?.map(|key| key.value().into()));
    }
    Ok(found)
}

fn answer(lookup: Lookup, key: Result<Option<Box<str>>, Unavailable>) {
    // Whoever asked may have left.
    let _ = lookup.answer.send(key);
}

#[cfg(test)]
mod tests {
    use super::super::database::{begin_write, create, open_storage};
    use super::super::simulated_disk::SimulatedDisk;
    use super::*;

    fn insert(database: &Database, ids: std::ops::Range<u32>) -> Result<(), redb::Error> {
        let transaction = begin_write(database)?;
        let mut keys = transaction.open_table(KEYS)?;
        for id in ids {
            keys.insert(&*id.to_string(), &*"k".repeat(500))?;
        }
        drop(keys);
        Ok(transaction.commit()?)
    }

    /// Spoilt by a failed commit, and not opened again yet. Most of its pages are not in the cache.
    fn spoilt_volume() -> Volume {
        let disk = SimulatedDisk::default();
        insert(&create(disk.clone()).unwrap(), 0..100).unwrap();
        let open = {
            let disk = disk.clone();
            move || open_storage(disk.clone())
        };
        let volume = Volume::new(Box::new(open)).unwrap();
        disk.set(|faults| faults.broken = true);
        let spoilt = volume.with(|database| Ok(insert(database, 100..101).is_err()));
        assert_eq!(spoilt, Ok(true));
        disk.set(|faults| faults.broken = false);
        volume
    }

    #[test]
    fn a_lookup_survives_the_failure_of_a_commit_beside_it() {
        let (answer, mut answered) = oneshot::channel();
        let lookup = Lookup { id: "42".into(), answer };
        assert_eq!(read(&spoilt_volume(), vec![Question::Lookup(lookup)]), Ok(()));
        assert!(matches!(answered.try_recv().unwrap(), Ok(Some(_))));
    }
}
