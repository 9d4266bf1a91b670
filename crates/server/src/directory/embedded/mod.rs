//! The directory of a single server: a redb file, a thread that writes and a thread that reads.
//!
//! It never accesses the disk on the caller's thread, never queues more than [`QUEUE_LENGTH`]
//! requests of a kind, and never repairs a file. The failures and their effects:
//!
//! | failure | answer |
//! |---|---|
//! | queue full | `Unavailable` at once |
//! | disk full, I/O error | `Unavailable` for that batch, and for registrations during the next
//! second; lookups continue as soon as the file is open again |
//! | file damaged while open | `Unavailable` until the file can be opened and checked again |

mod chain_reads;
mod chain_writes;
mod clock;
mod database;
mod dry_run;
mod health;
mod index;
mod ledger;
mod queue;
mod reader;
mod record_count;
mod reset_writes;
mod snapshot;
mod tables;
mod volume;
mod writer;

#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod operator_crash_tests;
#[cfg(test)]
mod reset_tests;
#[cfg(test)]
mod simulated_disk;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use redb::Database;
use securecall_core::resets;
use securecall_identity::{Id, Link, Outline};
use securecall_protocol::ClientId;
use tokio::sync::oneshot;

pub use self::chain_reads::PendingReset;
use self::clock::Clock;
pub use self::database::OpenError;
pub(crate) use self::database::create;
use self::health::Health;
use self::index::Index;
use self::queue::Worker;
use self::reader::{Lookup, NextPage, ReadRequest};
use self::record_count::RecordCount;
pub use self::snapshot::Page;
use self::snapshot::Snapshot;
use self::volume::{Opener, Volume};
use self::writer::{
    Change, Extension, ImportRequest, Publication, Registration, ResetRequest, Withdrawal, Writer,
};
use super::import::{Conflicts, Import, Imported};
use super::{
    Answer, ChainPage, ChainQuery, Creation, Directory, ExtendError, Extended, HeadWatcher,
    PublishError, Published, Records, RegisterError, Registered, Reset, Standing, Terms,
    Unavailable,
};

/// The bound of each queue: 4 MiB at 4 KiB a key. A commit takes all queued requests, so even the
/// last one waits for two commits only, some 10 ms each on an ordinary SSD.
pub const QUEUE_LENGTH: usize = 1024;

/// A directory in a local file. Its methods may be called from any thread; those for operators
/// ([`Embedded::import`], [`Embedded::reset`], [`Embedded::export`]) block on the disk.
pub struct Embedded {
    writer: Worker<Change>,
    reader: Worker<ReadRequest>,
    record_count: Arc<RecordCount>,
    index: Arc<Index>,
    /// In milliseconds.
    reset_delay: AtomicU64,
    is_serving: Arc<AtomicBool>,
    writing: Arc<Health>,
    reading: Arc<Health>,
}

/// An export in progress: one snapshot, however long it takes.
pub struct Export<'a> {
    directory: &'a Embedded,
    /// `None` before the first page, and after a failure.
    snapshot: Option<Snapshot>,
}

impl Embedded {
    /// Opens the existing database at `path`, and checks all of it. `lock` excludes other servers;
    /// it is held until the file is closed.
    pub(crate) fn open(path: PathBuf, lock: Arc<File>) -> Result<Self, OpenError> {
        Self::start(Box::new(move || {
            let _held = &lock;
            database::open(&path)
        }))
    }

    pub(crate) fn start(open: Opener) -> Result<Self, OpenError> {
        Self::start_with(open, Clock::of_system())
    }

    pub(crate) fn start_with(open: Opener, clock: Clock) -> Result<Self, OpenError> {
        let volume = Arc::new(Volume::new(open)?);
        let record_count = Arc::new(RecordCount::unbounded());
        let index = Arc::new(Index::new());
        let first_count = volume.with(|database| {
            database::complete(database)?;
            record_count.set_records(tables::records(database)?);
            index.apply(&tables::heads(database, None)?);
            Ok(chain_reads::resets(database)?.iter().map(first_count).min())
        });
        let first_count = first_count.map_err(io::Error::other)?;
        let is_serving = Arc::<AtomicBool>::default();
        let clock = Clock { is_serving: is_serving.clone(), ..clock };
        let (record_count_, index_) = (record_count.clone(), index.clone());
        let mut writer = Writer::new(volume.clone(), record_count_, index_, clock, first_count);
        let (writing, reading) = (Arc::<Health>::default(), Arc::<Health>::default());
        let (writes, reads) = (writing.clone(), reading.clone());
        Ok(Self {
            writer: Worker::start("directory-write", QUEUE_LENGTH, first_count, move |batch| {
                writes.watch(|| writer.write(batch));
                writer.wait()
            })?,
            reader: Worker::start("directory-read", QUEUE_LENGTH, None, move |batch| {
                reads.watch(|| reader::read(&volume, batch));
                None
            })?,
            record_count,
            index,
            reset_delay: AtomicU64::new(0),
            is_serving,
            writing,
            reading,
        })
    }

    /// Sets the bound of records that clients may create. Existing records can still be replaced,
    /// and imports of operators are counted but not refused.
    #[must_use]
    pub fn with_records_max(self, records_max: u64) -> Self {
        self.set_records_max(records_max);
        self
    }

    /// Changes the bound of [`Embedded::with_records_max`].
    pub fn set_records_max(&self, records_max: u64) {
        self.record_count.set_records_max(records_max);
    }

    /// Sets the delay of resets of bound ids; 0 before this is called.
    #[must_use]
    pub fn with_reset_delay(self, delay: Duration) -> Self {
        self.set_reset_delay(delay);
        self
    }

    /// Changes the delay of [`Embedded::with_reset_delay`], for resets from now on.
    pub fn set_reset_delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.reset_delay.store(millis, Ordering::Relaxed);
    }

    /// Counts time for pending resets from now on: clients are served, so owners can veto them.
    pub fn set_serving(&self) {
        self.is_serving.store(true, Ordering::Relaxed);
    }

    /// Imports all records, or none if one conflicts.
    ///
    /// # Errors
    /// As with registrations, the records may have been stored all the same.
    pub fn import(&self, import: Import) -> Result<Result<Imported, Conflicts>, Unavailable> {
        self.change(|answer| Change::Import(ImportRequest { import, answer }))
    }

    /// Removes the keys of these ids, so that the next registration of each is accepted. The reset of
    /// a bound id is pending for the delay, and its owner can veto it.
    ///
    /// # Errors
    /// The resets may have been changed all the same. A retry is safe.
    pub fn reset(&self, ids: Vec<ClientId>) -> Result<Vec<Reset>, Unavailable> {
        let delay = Duration::from_millis(self.reset_delay.load(Ordering::Relaxed));
        self.change(|answer| Change::Reset(ResetRequest { ids, delay, answer }))
    }

    /// Withdraws pending resets. Returns for each id whether it had one.
    ///
    /// # Errors
    /// The resets may have been changed all the same. A retry is safe.
    pub fn cancel_resets(&self, ids: Vec<ClientId>) -> Result<Vec<bool>, Unavailable> {
        self.change(|answer| Change::CancelReset(Withdrawal { ids, answer }))
    }

    /// Returns the pending resets, in the order of their ids.
    ///
    /// # Errors
    /// The directory cannot answer now.
    pub fn pending_resets(&self) -> Result<Vec<PendingReset>, Unavailable> {
        self.ask(chain_reads::resets)
    }

    /// Returns some links of an id, of all its epochs, after a place. No link is the end.
    ///
    /// # Errors
    /// The directory cannot answer now.
    pub(crate) fn history(
        &self,
        id: &ClientId,
        after: Option<(u32, u8)>,
    ) -> Result<Vec<Outline>, Unavailable> {
        let id = id.clone();
        self.ask(move |database| chain_reads::history(database, id.as_str(), after))
    }

    /// Starts an export of all records, in the order of their ids.
    pub fn export(&self) -> Export<'_> {
        Export { directory: self, snapshot: None }
    }

    fn ask<T: Send + 'static>(
        &self,
        read: impl Fn(&Database) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = sync_channel(1);
        self.reader.submit(question(read, move |result| {
            // An error means that the caller has left.
            let _ = answer.send(result);
        }))?;
        answered.recv().unwrap_or(Err(Unavailable))
    }

    fn change<T>(
        &self,
        change: impl FnOnce(SyncSender<Result<T, Unavailable>>) -> Change,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = sync_channel(1);
        self.writer.submit(change(answer))?;
        answered.recv().unwrap_or(Err(Unavailable))
    }

    /// Processes what is queued, ends both threads and closes the file. Later requests get
    /// `Unavailable`.
    ///
    /// This blocks on the disk, so it belongs after the end of the event loops, on a thread that
    /// may block. Dropping the directory does the same.
    pub fn close(&self) {
        self.writer.stop();
        self.reader.stop();
    }
}

impl Export<'_> {
    /// Waits for the next page. An empty page is the end.
    ///
    /// # Errors
    /// The export is incomplete, and there will be no more pages.
    pub fn next_page(&mut self) -> Result<Page, Unavailable> {
        let (answer, answered) = sync_channel(1);
        let next = NextPage { snapshot: self.snapshot.take(), answer };
        self.directory.reader.submit(ReadRequest::Page(Box::new(next)))?;
        let (page, snapshot) = answered.recv().unwrap_or(Err(Unavailable))?;
        self.snapshot = Some(snapshot);
        Ok(page)
    }
}

/// Returns the time before the first counting for a pending reset.
fn first_count(reset: &PendingReset) -> Duration {
    resets::PendingReset { left: Duration::from_secs(reset.left_seconds) }.next_count()
}

/// Returns a request for chains, whose result goes to `answer`.
fn question<T>(
    read: impl Fn(&Database) -> Result<T, redb::Error> + Send + 'static,
    answer: impl FnOnce(Result<T, Unavailable>) + Send + 'static,
) -> ReadRequest {
    ReadRequest::Chain(Box::new(move |volume| {
        // Retried once, as with lookups: a failed commit closes the database.
        let result = volume.with(&read).or_else(|_| volume.with(&read));
        let health = result.as_ref().map(|_| ()).map_err(|unavailable| *unavailable);
        answer(result);
        health
    }))
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

impl Directory for Embedded {
    fn lookup(&self, id: &str) -> Answer<Option<Box<str>>, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let queued = self.reader.submit(ReadRequest::Lookup(Lookup { id: id.into(), answer }));
        Box::pin(async move {
            queued?;
            answered.await.unwrap_or(Err(Unavailable))
        })
    }

    fn register(&self, id: &str, key: &str, terms: Terms) -> Answer<Registered, RegisterError> {
        let (answer, answered) = oneshot::channel();
        let registration = Registration { id: id.into(), key: key.into(), terms, answer };
        let queued = self.writer.submit(Change::Register(registration));
        Box::pin(async move {
            queued?;
            answered.await.unwrap_or(Err(Unavailable.into()))
        })
    }

    fn extend(&self, link: Link, creation: Creation) -> Answer<Extended, ExtendError> {
        let (answer, answered) = oneshot::channel();
        let queued = self.writer.submit(Change::Extend(Extension { link, creation, answer }));
        Box::pin(async move {
            queued?;
            answered.await.unwrap_or(Err(Unavailable.into()))
        })
    }

    fn publish(&self, id: &Id, bundle: &[u8]) -> Answer<Published, PublishError> {
        let (answer, answered) = oneshot::channel();
        let publication = Publication { id: id.clone(), bundle: bundle.into(), answer };
        let queued = self.writer.submit(Change::Publish(publication));
        Box::pin(async move {
            queued?;
            answered.await.unwrap_or(Err(Unavailable.into()))
        })
    }

    fn chain(&self, id: &str, query: ChainQuery) -> Answer<Option<ChainPage>, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let id: Box<str> = id.into();
        let read = move |database: &Database| chain_reads::page(database, &id, query);
        let queued = self.reader.submit(question(read, move |result| {
            // An error means that the caller has left.
            let _ = answer.send(result);
        }));
        Box::pin(async move {
            queued?;
            answered.await.unwrap_or(Err(Unavailable))
        })
    }

    fn standing(&self, id: &str) -> Standing {
        self.index.standing(id)
    }

    fn watch(&self, watcher: HeadWatcher) {
        self.index.watch(watcher);
    }

    fn records(&self) -> Records {
        Records { count: self.record_count.records(), max: self.record_count.records_max() }
    }

    fn is_failing(&self) -> bool {
        let now = Instant::now();
        self.writing.is_failing(now) || self.reading.is_failing(now)
    }
}
