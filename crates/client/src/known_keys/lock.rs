//! One writer at a time, of all the programs that share a file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Interval at which a lock that another program holds is tried: a save takes a few milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits for the lock, which lasts until the file is dropped. `None`: others had it all the time.
///
/// The lock is a file of its own, because the one that it guards is replaced by another. It stays
/// where it is: who deleted it could delete the one that somebody else has just locked.
pub(super) fn acquire(path: &Path, patience: Duration) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options.open(path)?;
    let until = Instant::now() + patience;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => return Ok(None),
            Err(TryLockError::WouldBlock) => thread::sleep(LOOK_EVERY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_holder_and_the_wait_for_it_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let patience = Duration::from_millis(50);
        let first = acquire(&path, patience).unwrap();
        assert!(first.is_some());
        assert!(acquire(&path, patience).unwrap().is_none());
        drop(first);
        assert!(acquire(&path, patience).unwrap().is_some());
    }
}
