//! The reading thread, so that a lookup waits neither on an event loop nor behind an fsync.
//!
//! It sees committed records only: each batch reads one snapshot, taken after its last request
//! arrived.

use std::sync::mpsc::SyncSender;

use redb::{Database, ReadableDatabase};
use tokio::sync::oneshot;
use tracing::error;

use super::database::catching_panics;
use super::snapshot::{Page, Snapshot};
use super::tables::KEYS;
use super::volume::Volume;
use crate::directory::Unavailable;

/// A function that reads and sends the answer.
pub(crate) type Read = Box<dyn FnOnce(&Volume) -> Result<(), Unavailable> + Send>;

/// A request to the thread.
pub(crate) enum ReadRequest {
    Lookup(Lookup),
    /// A part of a chain: some 30 KB.
    Chain(Read),
    /// In a box, because a snapshot is much larger than the other requests.
    Page(Box<NextPage>),
}

pub(crate) struct Lookup {
    pub(crate) id: Box<str>,
    pub(crate) answer: oneshot::Sender<Result<Option<Box<str>>, Unavailable>>,
}

/// The next page of an export. The snapshot travels with the request, so that the thread holds
/// nothing for an export that is never finished.
pub(crate) struct NextPage {
    /// `None` for the first page, which takes a new snapshot.
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) answer: SyncSender<Result<(Page, Snapshot), Unavailable>>,
}

/// Answers a batch, lookups first because calls wait for them.
///
/// # Errors
/// A lookup, or a request for a chain, failed. A failed export does not count: it says nothing about
/// later requests.
pub(crate) fn read(volume: &Volume, batch: Vec<ReadRequest>) -> Result<(), Unavailable> {
    let mut lookups = Vec::with_capacity(batch.len());
    let (mut chains, mut pages) = (Vec::new(), Vec::new());
    for question in batch {
        match question {
            ReadRequest::Lookup(lookup) => lookups.push(lookup),
            ReadRequest::Chain(chain) => chains.push(chain),
            ReadRequest::Page(page) => pages.push(page),
        }
    }
    let mut looked_up = if lookups.is_empty() { Ok(()) } else { look_up(volume, lookups) };
    for chain in chains {
        looked_up = looked_up.and(chain(volume));
    }
    for page in pages {
        let NextPage { snapshot, answer } = *page;
        // An error means that the caller has left.
        let _ = answer.send(next_page(volume, snapshot));
    }
    looked_up
}

fn next_page(volume: &Volume, snapshot: Option<Snapshot>) -> Result<(Page, Snapshot), Unavailable> {
    let mut snapshot = match snapshot {
        Some(snapshot) => snapshot,
        None => volume.with(Snapshot::of)?,
    };
    // Not through the volume: a snapshot of a closed database fails, and that says nothing about
    // the database that is open now.
    match catching_panics(|| snapshot.next_page()) {
        Ok(page) => Ok((page, snapshot)),
        Err(reason) => {
            error!(%reason, "an export of the directory failed");
            Err(Unavailable)
        }
    }
}

fn look_up(volume: &Volume, batch: Vec<Lookup>) -> Result<(), Unavailable> {
    let find = |database: &Database| find(database, &batch);
    // Retried once: a failed commit, on a full disk for example, closes the database for the reader
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
    // An error means that the caller has left.
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

    /// Returns a volume that a failed commit has closed, and that is not open again. Most pages are
    /// not in the cache.
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
        assert_eq!(read(&spoilt_volume(), vec![ReadRequest::Lookup(lookup)]), Ok(()));
        assert!(matches!(answered.try_recv().unwrap(), Ok(Some(_))));
    }
}
