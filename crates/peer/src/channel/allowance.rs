//! What the other end may still put on our disk.

use std::path::Path;

use super::file_name::FileName;
use super::incoming_file::IncomingFile;
use crate::Refusal;
use crate::config::Receive;

/// What the files of a receiver may add up to.
pub(crate) struct Allowance {
    /// `None`: no files are taken.
    receive: Option<Receive>,
}

impl Allowance {
    pub(crate) const fn new(receive: Option<Receive>) -> Self {
        Self { receive }
    }

    /// Begins a file. There is one at a time in a connection, so what it was said to have is all
    /// that can come. A refusal is all that the sender learns.
    pub(crate) fn begin(&self, name: FileName, bytes: u64) -> Result<IncomingFile, Refusal> {
        let receive = self.receive.as_ref().ok_or(Refusal::NotAccepted)?;
        if bytes > receive.file_bytes_max {
            return Err(Refusal::TooLarge);
        }
        let kept = receive.kept.total();
        if kept.files >= receive.files_max
            || bytes > receive.total_bytes_max.saturating_sub(kept.bytes)
        {
            return Err(Refusal::Full);
        }
        if free_bytes(&receive.folder)? < bytes.saturating_add(receive.free_bytes_min) {
            return Err(Refusal::Storage);
        }
        IncomingFile::begin(&receive.folder, name, bytes)
    }

    /// A file is here to stay. One that is not counts for nothing: it was deleted.
    pub(crate) fn keep(&self, bytes: u64) {
        if let Some(receive) = &self.receive {
            receive.kept.add(bytes);
        }
    }
}

/// For users that are not root.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Result<u64, Refusal> {
    let disk = rustix::fs::statvfs(folder).map_err(|_| Refusal::Storage)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Not known: that the disk is full shows when it is.
#[cfg(not(unix))]
const fn free_bytes(_folder: &Path) -> Result<u64, Refusal> {
    Ok(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn receive(file_bytes_max: u64, total_bytes_max: u64) -> (TempDir, Receive) {
        let folder = tempfile::tempdir().unwrap();
        let receive = Receive::into_folder(folder.path());
        (folder, Receive { file_bytes_max, total_bytes_max, ..receive })
    }

    fn allowance(file_bytes_max: u64, total_bytes_max: u64) -> (TempDir, Allowance) {
        let (folder, receive) = receive(file_bytes_max, total_bytes_max);
        (folder, Allowance::new(Some(receive)))
    }

    fn refusal(allowance: &Allowance, bytes: u64) -> Option<Refusal> {
        allowance.begin(FileName::new("a").unwrap(), bytes).err()
    }

    #[test]
    fn a_file_is_bounded_and_so_are_all_of_them_together() {
        let (_folder, allowance) = allowance(10, 15);
        assert_eq!(refusal(&allowance, 11), Some(Refusal::TooLarge));
        allowance.keep(10);
        assert_eq!(refusal(&allowance, 6), Some(Refusal::Full));
        assert_eq!(refusal(&allowance, 5), None);
        assert_eq!(refusal(&allowance, 5), None, "one that is not kept counts for nothing");
    }

    #[test]
    fn empty_files_are_counted() {
        let (_folder, receive) = receive(10, 15);
        let allowance = Allowance::new(Some(Receive { files_max: 2, ..receive }));
        allowance.keep(0);
        assert_eq!(refusal(&allowance, 0), None);
        allowance.keep(0);
        assert_eq!(refusal(&allowance, 0), Some(Refusal::Full));
    }

    #[test]
    fn whoever_connects_again_finds_the_same_bounds() {
        let (_folder, receive) = receive(10, 15);
        Allowance::new(Some(receive.clone())).keep(10);
        assert_eq!(refusal(&Allowance::new(Some(receive)), 6), Some(Refusal::Full));
    }

    #[test]
    fn what_is_left_free_on_the_disk_is_the_receivers_choice() {
        let (folder, receive) = receive(u64::MAX, u64::MAX);
        // The disk may be in use by others meanwhile: nothing here is close to its bound.
        let free_bytes_min = free_bytes(folder.path()).unwrap() * 2;
        let allowance = Allowance::new(Some(Receive { free_bytes_min, ..receive }));
        assert_eq!(refusal(&allowance, 1), Some(Refusal::Storage));
    }

    #[test]
    fn a_file_that_would_fill_the_disk_is_refused_and_nothing_written() {
        let (folder, allowance) = allowance(u64::MAX, u64::MAX);
        // The disk may be in use by others meanwhile: nothing here is close to its bound.
        let free = free_bytes(folder.path()).unwrap();
        for bytes in [free, u64::MAX] {
            assert_eq!(refusal(&allowance, bytes), Some(Refusal::Storage));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(refusal(&allowance, 1), None);
    }

    #[test]
    fn whoever_takes_no_files_says_so_and_a_folder_that_is_not_there_takes_none() {
        assert_eq!(refusal(&Allowance::new(None), 1), Some(Refusal::NotAccepted));
        let (folder, allowance) = allowance(10, 10);
        drop(folder);
        assert_eq!(refusal(&allowance, 1), Some(Refusal::Storage));
    }
}
