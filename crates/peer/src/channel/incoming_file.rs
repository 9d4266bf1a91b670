//! A file that is arriving.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::file_name::FileName;
use crate::{Refusal, Violation};

/// A file that is arriving, under a temporary name in its folder. Dropped, it is deleted.
pub(crate) struct IncomingFile {
    name: FileName,
    bytes_total: u64,
    bytes: u64,
    hash: Sha256,
    file: NamedTempFile,
    folder: PathBuf,
}

impl IncomingFile {
    /// Begins one.
    pub(crate) fn begin(folder: &Path, name: FileName, bytes_total: u64) -> Result<Self, Refusal> {
        let file = tempfile::Builder::new()
            .prefix(".securecall-")
            .suffix(".part")
            .tempfile_in(folder)
            .map_err(|_| Refusal::Storage)?;
        let folder = folder.to_owned();
        Ok(Self { name, bytes_total, bytes: 0, hash: Sha256::new(), file, folder })
    }

    pub(crate) const fn name(&self) -> &FileName {
        &self.name
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) const fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// Takes the next bytes. The inner error: they cannot be written.
    pub(crate) fn take(&mut self, chunk: &[u8]) -> Result<Result<(), Refusal>, Violation> {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if self.bytes > self.bytes_total {
            return Err(Violation::Overflow);
        }
        self.hash.update(chunk);
        Ok(self.file.write_all(chunk).map_err(|_| Refusal::Storage))
    }

    /// Checks it, and gives it its name; what is there already stays.
    pub(crate) fn finish(self, sha256: &str) -> Result<PathBuf, Refusal> {
        if self.bytes != self.bytes_total || hex(&self.hash.finalize()) != sha256 {
            return Err(Refusal::Hash);
        }
        self.file.as_file().sync_all().map_err(|_| Refusal::Storage)?;
        let mut file = self.file;
        for place in self.name.places(&self.folder) {
            match file.persist_noclobber(&place) {
                Ok(_) => return Ok(place),
                Err(failed) if failed.error.kind() == std::io::ErrorKind::AlreadyExists => {
                    file = failed.file;
                }
                Err(_) => return Err(Refusal::Storage),
            }
        }
        Err(Refusal::Storage)
    }
}

/// In lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const SHA256_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn begin(folder: &TempDir) -> IncomingFile {
        IncomingFile::begin(folder.path(), FileName::new("abc.txt").unwrap(), 3).unwrap()
    }

    fn abc(folder: &TempDir) -> IncomingFile {
        let mut file = begin(folder);
        file.take(b"abc").unwrap().unwrap();
        file
    }

    fn entries(folder: &TempDir) -> usize {
        fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn a_whole_file_gets_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = abc(&folder).finish(SHA256_ABC).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"abc");
        assert_eq!(entries(&folder), 1, "nothing temporary is left");
    }

    #[test]
    fn a_file_of_the_same_name_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("abc.txt"), "mine").unwrap();
        let path = abc(&folder).finish(SHA256_ABC).unwrap();
        assert_eq!(path, folder.path().join("abc (2).txt"));
        assert_eq!(fs::read(folder.path().join("abc.txt")).unwrap(), b"mine");
    }

    #[test]
    fn a_link_of_the_same_name_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        std::os::unix::fs::symlink(&outside, folder.path().join("abc.txt")).unwrap();
        abc(&folder).finish(SHA256_ABC).unwrap();
        assert!(!outside.exists());
    }

    #[test]
    fn another_hash_or_a_missing_end_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(abc(&folder).finish(&SHA256_ABC.replace('b', "c")), Err(Refusal::Hash));
        assert_eq!(begin(&folder).finish(SHA256_ABC), Err(Refusal::Hash));
        assert_eq!(entries(&folder), 0);
    }

    #[test]
    fn more_than_was_announced_is_a_violation() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(abc(&folder).take(b"d"), Err(Violation::Overflow));
    }
}
