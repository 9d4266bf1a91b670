//! A database file: made whole or not at all, and opened only after its every page was checked.
//!
//! This module never repairs, replaces or empties a file: one that does not check out stays as it
//! is, and the error says so.
//!
//! **Why every open checks.** redb trusts a file that was closed cleanly, and may panic much later
//! over a page that a bad disk has changed. A directory that hands out wrong keys is worse than a
//! server that does not start. The check reads the file, once to see whether it may be opened at all
//! ([`Rehearsal`]) and once more for real: 100,000 records take about a quarter of a second.
//!
//! **Why commits have two phases.** With one, redb cannot tell a commit that was torn by a crash
//! from one that was damaged afterwards, and falls back to the commit before: acknowledged keys
//! would vanish without a word. With two, the newest commit is either whole or [`Damaged`]. Two
//! phases also make a failed fsync harmless. Linux forgets the pages it could not write, so a
//! database must not refer to them before the first fsync has succeeded.
//!
//! [`Damaged`]: OpenError::Damaged

use std::any::Any;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, TableError,
    WriteTransaction,
};

use super::ledger::Ledger;
use super::rehearsal::Rehearsal;
use super::tables::{self, HEADS, KEYS};

/// redb's page cache. 100,000 records of 200 bytes fit; its own default would be 1 GiB.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Why a database was not opened. Whatever the reason, the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is no database of ours, or parts of it are not what was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Another process has it open.
    #[error("another process has it open")]
    InUse,
    /// The system would not read or write it.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes a database in empty storage.
pub(crate) fn create(storage: impl StorageBackend) -> Result<Database, OpenError> {
    unpanicked(|| {
        let database = builder().create_with_backend(storage).map_err(redb::Error::from)?;
        make_tables(&database)?;
        Ok(database)
    })
}

/// Opens the database at `path`, which must exist, and checks all of it.
pub(crate) fn open(path: &Path) -> Result<Database, OpenError> {
    drop(open_storage(Rehearsal::of(File::open(path)?)?)?);
    unpanicked(|| checked(builder().open(path)))
}

/// [`open`] for storage that is not a file.
pub(crate) fn open_storage(storage: impl StorageBackend) -> Result<Database, OpenError> {
    unpanicked(|| checked(builder().create_with_backend(storage)))
}

/// Adds the tables that a directory from before there were chains does not have.
pub(crate) fn complete(database: &Database) -> Result<(), redb::Error> {
    match database.begin_read()?.open_table(HEADS) {
        Err(TableError::TableDoesNotExist(_)) => make_tables(database),
        heads => heads.map(drop).map_err(redb::Error::from),
    }
}

fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = begin_write(database)?;
    drop(Ledger::open(&transaction, 0)?);
    Ok(transaction.commit()?)
}

/// Begins a write transaction with the durability this directory promises.
pub(crate) fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Runs `work`, and takes a panic for the damage that it is a symptom of.
///
/// redb promises to report a damaged file as an error at the checks made here, but asserts its
/// invariants elsewhere. A panic must not take a thread with it. Unwinding leaves the database in
/// no state to be used again: whoever gets an error here has to close it.
pub(crate) fn unpanicked<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, OpenError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(OpenError::from),
        Err(panic) => Err(OpenError::Damaged(format!("redb: {}", message(&*panic)))),
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

/// A sound redb file may still be somebody else's, or hold what this program never wrote.
fn checked(opened: Result<Database, DatabaseError>) -> Result<Database, redb::Error> {
    let database = opened?;
    let transaction = database.begin_read()?;
    transaction.open_table(KEYS)?;
    tables::check(&transaction)?;
    transaction.close()?;
    Ok(database)
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panicked")
}

impl From<redb::Error> for OpenError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::InUse,
            redb::Error::Io(error) if !is_damage(&error) => Self::Io(error),
            redb::Error::Io(error) => Self::Damaged(error.to_string()),
            redb::Error::PreviousIo => Self::Io(io::Error::other(StorageError::PreviousIo)),
            redb::Error::Corrupted(reason) => Self::Damaged(reason),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// redb reports a file that is not a database, or too short for what it refers to, as these.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
