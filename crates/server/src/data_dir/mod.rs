//! The data folder: the only files that the server keeps across restarts.
//!
//! ```text
//! securecall-data/      0700
//! ├── lock              held by the running server
//! ├── control           0600, the socket for an operator's requests
//! ├── server.key        0600, 32 random bytes
//! ├── directory.redb    0600, the public-key directory
//! └── acme/             0700, with ACME: the account and the last certificate
//! ```
//!
//! This module has no fallbacks. It does not use another folder, replace an unreadable key file, or
//! start an empty directory in place of a damaged one: each of these would break calls or lose keys
//! silently. It refuses to start, and the error names the problem, the path and the remedy. Errors
//! contain nothing about clients.

mod acme;
mod inspect;
mod server_key;

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use tracing::warn;

use crate::directory::{self, Embedded, OpenError};
pub(crate) use acme::AcmeFolder;
pub(crate) use inspect::inspect;
pub use server_key::{SERVER_KEY_BYTES, ServerKey};

const LOCK: &str = "lock";
const SERVER_KEY: &str = "server.key";
const ACME: &str = "acme";
const DIRECTORY: &str = "directory.redb";

/// The reason why the data folder cannot be used. Each error names the path and the remedy.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum DataDirError {
    #[error(
        "the data folder {} is not a folder: name another with --data-dir, or move the file away",
        .0.display()
    )]
    NotAFolder(PathBuf),
    #[error(
        "the data folder {} cannot be created: {source}. Create it, owned by the user that the \
         server runs as, or name another with --data-dir",
        path.display()
    )]
    NotCreated { path: PathBuf, source: io::Error },
    #[error(
        "the data folder {} cannot be written: {source}. Give it to the user that the server runs \
         as (or mount it writable, or free some space), or name another with --data-dir",
        path.display()
    )]
    NotWritable { path: PathBuf, source: io::Error },
    #[error(
        "there is no directory in {}: is --data-dir right? A server creates one when it starts \
         there, and so does securecall directory import --create",
        .0.display()
    )]
    Missing(PathBuf),
    #[error(
        "the data folder {} cannot be used: {source}. Run the command as the user that the server \
         runs as",
        path.display()
    )]
    NotUsable { path: PathBuf, source: io::Error },
    #[error(
        "others than its owner may write to the data folder {}, and could replace its keys: run \
         chmod go-w on it, or name a new folder inside it with --data-dir",
        .0.display()
    )]
    WritableForOthers(PathBuf),
    #[error(
        "another server uses the data folder {}: stop it, or give each server a folder of its own \
         with --data-dir",
        .0.display()
    )]
    InUse(PathBuf),
    #[error(
        "the server key {} cannot be used: {source}. Make it readable for the user that the server \
         runs as",
        path.display()
    )]
    KeyNotReadable { path: PathBuf, source: io::Error },
    #[error(
        "the server key {} is not a file of {SERVER_KEY_BYTES} bytes, so it is not the one that \
         this server wrote. Restore it from a backup, or remove it to create a new one, which \
         ends calls that are being set up",
        .0.display()
    )]
    KeyDamaged(PathBuf),
    #[error("the server key {} cannot be written: {source}", path.display())]
    KeyNotWritten { path: PathBuf, source: io::Error },
    #[error(
        "the directory {} cannot be used: {source}. The file was not changed. If it is damaged, \
         restore it from a backup, or move it away to start with an empty one, which loses all \
         pinned keys",
        path.display()
    )]
    Directory { path: PathBuf, source: OpenError },
}

/// An open data folder. It is locked against other servers as long as this value, or a directory
/// that was opened from it, exists.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: Arc<File>,
}

impl DataDir {
    /// Opens the folder at `path`, creates it if necessary, and checks that files written there
    /// reach the disk.
    ///
    /// # Errors
    /// `path` is something else, cannot be written, or is used by another server.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        create_folder(path)?;
        check_private(path).map_err(|source| not_writable(path, source))??;
        let lock = Arc::new(lock(path)?);
        probe(path).map_err(|source| not_writable(path, source))?;
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Opens an existing folder for an operator. It creates neither the folder nor, later, the
    /// directory.
    ///
    /// # Errors
    /// There is no directory, the folder cannot be used, or a server is using it.
    pub fn existing(path: &Path) -> Result<Self, DataDirError> {
        let not_usable = |source| DataDirError::NotUsable { path: path.to_owned(), source };
        if path.exists() && !path.is_dir() {
            return Err(DataDirError::NotAFolder(path.to_owned()));
        }
        if !path.join(DIRECTORY).try_exists().map_err(not_usable)? {
            return Err(DataDirError::Missing(path.to_owned()));
        }
        check_private(path).map_err(not_usable)??;
        let lock = lock(path).map_err(|error| match error {
            DataDirError::NotWritable { source, .. } => not_usable(source),
            other => other,
        })?;
        Ok(Self { path: path.to_owned(), lock: Arc::new(lock) })
    }

    /// Returns the secret of this server, which the first start creates.
    ///
    /// # Errors
    /// It cannot be read or written, or is not a key that a server wrote.
    pub fn server_key(&self) -> Result<ServerKey, DataDirError> {
        ServerKey::load_or_create(&self.path.join(SERVER_KEY))
    }

    /// Opens the directory of public keys, which is empty at the first start.
    ///
    /// This reads and checks the whole file: about a tenth of a second for 100,000 records.
    ///
    /// # Errors
    /// It is damaged, or cannot be read or written. The file is not changed then.
    pub fn directory(&self) -> Result<Embedded, DataDirError> {
        let path = self.path.join(DIRECTORY);
        self.open_directory(&path).map_err(|source| DataDirError::Directory { path, source })
    }

    /// Returns the ACME folder, and creates it if necessary.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn acme(&self) -> Result<AcmeFolder, DataDirError> {
        AcmeFolder::open(self.path.join(ACME)).map_err(|source| not_writable(&self.path, source))
    }

    fn open_directory(&self, path: &Path) -> Result<Embedded, OpenError> {
        if !path.try_exists()? {
            create_directory(path)?;
        }
        keep_private(path, "the directory")?;
        Embedded::open(path.to_owned(), self.lock.clone())
    }
}

fn create_folder(path: &Path) -> Result<(), DataDirError> {
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(_) if path.exists() => Err(DataDirError::NotAFolder(path.to_owned())),
        Err(source) => Err(DataDirError::NotCreated { path: path.to_owned(), source }),
    }
}

/// Refuses a folder in which others could replace the key or the directory. A group may have write
/// access if the folder belongs to somebody else: Kubernetes gives a volume to the user of a
/// container that way.
fn check_private(path: &Path) -> io::Result<Result<(), DataDirError>> {
    const OTHERS: u32 = 0o002;
    const GROUP: u32 = 0o020;
    let folder = fs::metadata(path)?;
    let own = folder.uid() == rustix::process::geteuid().as_raw();
    let not_theirs = if own { OTHERS | GROUP } else { OTHERS };
    let private = folder.mode() & not_theirs == 0;
    Ok(private.then_some(()).ok_or_else(|| DataDirError::WritableForOthers(path.to_owned())))
}

/// Locks the folder. redb's own lock is not sufficient, because it is released while a failed
/// database is opened again.
fn lock(folder: &Path) -> Result<File, DataDirError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(folder.join(LOCK)).map_err(|source| not_writable(folder, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(not_writable(folder, source)),
    }
}

/// Writes a test file through to the disk: access rights alone do not reveal a read-only mount, a
/// full disk or an exhausted quota.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join("write-test");
    write_new(&path, &[0; 4096])?;
    fs::remove_file(&path)
}

/// Writes a file that only its owner can read, and syncs it and its folder.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create_new(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    sync_folder_of(path)
}

/// Creates an empty file. An unfinished one of an earlier start is removed.
fn create_new(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Removes the access rights of everybody but the owner. Otherwise a volume that is mounted with a
/// group's rights, as in Kubernetes, would prevent the start.
fn keep_private(path: &Path, what: &str) -> io::Result<()> {
    if fs::metadata(path)?.mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    warn!(
        path = %path.display(),
        "others could read or write {what}, which is corrected; if they may have done so, replace \
         it"
    );
    Ok(())
}

/// Creates the database under a temporary name first: an interrupted start must not leave a partial
/// database, which the next start would refuse.
fn create_directory(path: &Path) -> Result<(), OpenError> {
    let unfinished = unfinished(path);
    let storage = FileBackend::new(create_new(&unfinished)?).map_err(redb::Error::from)?;
    drop(directory::create(storage)?);
    put_in_place(&unfinished, path)?;
    Ok(())
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_added_extension("unfinished")
}

/// Renames a finished file to its final name, durably.
fn put_in_place(unfinished: &Path, path: &Path) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    fs::rename(unfinished, path)?;
    sync_folder_of(path)
}

/// Syncs the folder of a file, which makes the file's name durable.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn not_writable(folder: &Path, source: io::Error) -> DataDirError {
    DataDirError::NotWritable { path: folder.to_owned(), source }
}

#[cfg(test)]
pub(crate) mod tests;
