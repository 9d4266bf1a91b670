//! A database file: created completely or not at all, and opened only after a check of every page.
//!
//! This module never repairs, replaces or empties a file. A file that fails the check is left
//! unchanged, and the error reports it.
//!
//! **Why every open checks.** redb trusts a file that was closed cleanly, and may panic much later
//! on a page that a bad disk has changed. A directory that returns wrong keys is worse than a
//! server that does not start. The check reads the file twice: once to decide whether it may be
//! opened at all ([`DryRun`]), and once for real. 100,000 records take about a quarter of a
//! second.
//!
//! **Why commits have two phases.** With one phase, redb cannot distinguish a commit that was torn
//! by a crash from one that was damaged later, and returns to the previous commit: acknowledged
//! keys would be lost silently. With two phases, the newest commit is either complete or
//! [`Damaged`]. Two phases also make a failed fsync harmless: Linux forgets pages that it could not
//! write, so a database must not refer to them before the first fsync has succeeded.
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

use super::dry_run::DryRun;
use super::ledger::Ledger;
use super::tables::{self, HEADS, KEYS};

/// redb's page cache. 100,000 records of 200 bytes fit; its own default would be 1 GiB.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The reason why a database was not opened. The file is unchanged in every case.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not one of our databases, or parts of it were changed.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Another process has it open.
    #[error("another process has the file open")]
    InUse,
    /// The system cannot read or write it.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Creates a database in empty storage.
pub(crate) fn create(storage: impl StorageBackend) -> Result<Database, OpenError> {
    catching_panics(|| {
        let database = builder().create_with_backend(storage).map_err(redb::Error::from)?;
        make_tables(&database)?;
        Ok(database)
    })
}

/// Opens the existing database at `path`, and checks all of it.
pub(crate) fn open(path: &Path) -> Result<Database, OpenError> {
    drop(open_storage(DryRun::of(File::open(path)?)?)?);
    catching_panics(|| checked(builder().open(path)))
}

/// Opens storage that is not a file, as [`open`] does.
pub(crate) fn open_storage(storage: impl StorageBackend) -> Result<Database, OpenError> {
    catching_panics(|| checked(builder().create_with_backend(storage)))
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

/// Begins a write transaction with the durability that this directory promises.
pub(crate) fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Runs `work`, and converts a panic into the damage that it indicates.
///
/// redb promises to report a damaged file as an error from the checks made here, but has assertions
/// elsewhere. A panic must not end the thread. After one the database is in an undefined state: a
/// caller that gets an error has to close it.
pub(crate) fn catching_panics<T>(
    work: impl FnOnce() -> Result<T, redb::Error>,
) -> Result<T, OpenError> {
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

/// Checks that a valid redb file has our tables, and that their rows belong together.
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

/// Returns true for the errors with which redb reports a file that is no database, or is too short.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
