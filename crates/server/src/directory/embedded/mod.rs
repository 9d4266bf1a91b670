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

mod database;
mod dry_run;
mod health;
mod queue;
mod reader;
mod record_count;
mod snapshot;
mod volume;
mod writer;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod operator_crash_tests;
#[cfg(test)]
mod simulated_disk;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

use securecall_protocol::ClientId;
use tokio::sync::oneshot;

pub use self::database::OpenError;
pub(crate) use self::database::create;
use self::health::Health;
use self::queue::Worker;
use self::reader::{Lookup, NextPage, ReadRequest};
use self::record_count::RecordCount;
pub use self::snapshot::Page;
use self::snapshot::Snapshot;
use self::volume::{Opener, Volume};
use self::writer::{Change, ImportRequest, Registration, ResetRequest, Writer};
use super::import::{Conflicts, Import, Imported};
use super::{Answer, Directory, Records, RegisterError, Registered, Terms, Unavailable};

/// The bound of each queue: 4 MiB at 4 KiB a key. A commit takes all queued requests, so even the
/// last one waits for two commits only, some 10 ms each on an ordinary SSD.
pub const QUEUE_LENGTH: usize = 1024;

/// A directory in a local file. Its methods may be called from any thread; those for operators
/// ([`Embedded::import`], [`Embedded::reset`], [`Embedded::export`]) block on the disk.
pub struct Embedded {
    writer: Worker<Change>,
    reader: Worker<ReadRequest>,
    record_count: Arc<RecordCount>,
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
        let volume = Arc::new(Volume::new(open)?);
        let record_count = Arc::new(RecordCount::unbounded());
        let records = volume.with(database::records).map_err(io::Error::other)?;
        record_count.set_records(records);
        let mut writer = Writer::new(volume.clone(), record_count.clone());
        let (writing, reading) = (Arc::<Health>::default(), Arc::<Health>::default());
        let (writes, reads) = (writing.clone(), reading.clone());
        Ok(Self {
            writer: Worker::start("directory-write", QUEUE_LENGTH, move |batch| {
                writes.watch(|| writer.write(batch));
            })?,
            reader: Worker::start("directory-read", QUEUE_LENGTH, move |batch| {
                reads.watch(|| reader::read(&volume, batch));
            })?,
            record_count,
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

    /// Imports all records, or none if one conflicts.
    ///
    /// # Errors
    /// As with registrations, the records may have been stored all the same.
    pub fn import(&self, import: Import) -> Result<Result<Imported, Conflicts>, Unavailable> {
        self.change(|answer| Change::Import(ImportRequest { import, answer }))
    }

    /// Removes the keys of these ids, so that the next registration of each is accepted. Returns
    /// for each whether it had a key.
    ///
    /// # Errors
    /// The keys may have been removed all the same. A retry is safe.
    pub fn reset(&self, ids: Vec<ClientId>) -> Result<Vec<bool>, Unavailable> {
        self.change(|answer| Change::Reset(ResetRequest { ids, answer }))
    }

    /// Starts an export of all records, in the order of their ids.
    pub fn export(&self) -> Export<'_> {
        Export { directory: self, snapshot: None }
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
        self.directory.reader.submit(ReadRequest::Page(next))?;
        let (page, snapshot) = answered.recv().unwrap_or(Err(Unavailable))?;
        self.snapshot = Some(snapshot);
        Ok(page)
    }
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

    fn records(&self) -> Records {
        Records { count: self.record_count.records(), max: self.record_count.records_max() }
    }

    fn is_failing(&self) -> bool {
        let now = Instant::now();
        self.writing.is_failing(now) || self.reading.is_failing(now)
    }
}
