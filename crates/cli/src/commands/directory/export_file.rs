//! A new file that is there whole, or not at all.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::files::folder::sync_folder_of;

/// Its owner reads and writes it, and nobody else does anything.
const MODE: u32 = 0o600;

/// The file while it is written, under another name.
pub(super) struct ExportFile {
    path: PathBuf,
    unfinished: PathBuf,
    file: File,
    finished: bool,
}

/// Why there is no file.
#[derive(Debug)]
pub(crate) enum ExportFileError {
    Exists(PathBuf),
    Unfinished(PathBuf),
    Io { path: PathBuf, cause: io::Error },
}

impl ExportFile {
    /// Makes the file under another name, if there is none yet at `path`.
    pub(super) fn create(path: &Path) -> Result<Self, ExportFileError> {
        // Said now, not after a long export; the rename looks again.
        if fs::symlink_metadata(path).is_ok() {
            return Err(ExportFileError::Exists(path.to_owned()));
        }
        let unfinished = path.with_added_extension("unfinished");
        let mut options = File::options();
        match options.write(true).create_new(true).mode(MODE).open(&unfinished) {
            Ok(file) => Ok(Self { path: path.to_owned(), unfinished, file, finished: false }),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                Err(ExportFileError::Unfinished(unfinished))
            }
            Err(cause) => Err(ExportFileError::Io { path: path.to_owned(), cause }),
        }
    }

    /// Gives the file its name, once it is on disk, and unless somebody else took that meanwhile.
    pub(super) fn finish(mut self) -> Result<(), ExportFileError> {
        let path = self.path.clone();
        self.put_in_place().map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => ExportFileError::Exists(path),
            _ => ExportFileError::Io { path, cause },
        })
    }

    fn put_in_place(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        renameat_with(CWD, &self.unfinished, CWD, &self.path, RenameFlags::NOREPLACE)?;
        self.finished = true;
        sync_folder_of(&self.path)
    }
}

impl Write for ExportFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for ExportFile {
    fn drop(&mut self) {
        if !self.finished {
            // Half an export would only be taken for a whole one.
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}

impl fmt::Display for ExportFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(path) => write!(
                f,
                "{} is there already and stays as it is: name another file, or move it away",
                path.display()
            ),
            Self::Unfinished(path) => write!(
                f,
                "{} is there: another export is under way, or was cut short; then remove it",
                path.display()
            ),
            Self::Io { path, cause } => write!(f, "{}: {cause}", path.display()),
        }
    }
}
