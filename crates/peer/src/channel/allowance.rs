//! The bound of files that the other end may store on our disk.

use std::path::Path;

use super::file_name::FileName;
use super::incoming_file::IncomingFile;
use crate::Refusal;
use crate::config::Receive;

/// The bound of a receiver's files, together.
pub(crate) struct Allowance {
    /// `None` if no files are accepted.
    receive: Option<Receive>,
}

impl Allowance {
    pub(crate) const fn new(receive: Option<Receive>) -> Self {
        Self { receive }
    }

    /// Begins a file. A connection has one at a time, so its announced size is all that can arrive.
    /// The refusal is all that the sender learns of us.
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
        assert_eq!(refusal(&allowance, 5), None, "a file that is not stored does not count");
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
    fn a_second_connection_has_the_same_bounds() {
        let (_folder, receive) = receive(10, 15);
        Allowance::new(Some(receive.clone())).keep(10);
        assert_eq!(refusal(&Allowance::new(Some(receive)), 6), Some(Refusal::Full));
    }

    #[test]
    fn the_receiver_sets_the_bytes_that_stay_free_on_the_disk() {
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
    fn without_files_or_without_a_folder_each_file_is_refused() {
        assert_eq!(refusal(&Allowance::new(None), 1), Some(Refusal::NotAccepted));
        let (folder, allowance) = allowance(10, 10);
        drop(folder);
        assert_eq!(refusal(&allowance, 1), Some(Refusal::Storage));
    }
}
