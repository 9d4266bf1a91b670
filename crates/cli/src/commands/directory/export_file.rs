//! A new file that appears complete, or not at all.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::files::folder::sync_folder_of;

/// The file mode: only the owner may read and write.
const MODE: u32 = 0o600;

/// An export while it is written, under a temporary name. Dropping it before `finish` removes it.
pub(super) struct ExportFile {
    path: PathBuf,
    unfinished: PathBuf,
    file: File,
    finished: bool,
}

/// An error of creating or finishing an export file.
#[derive(Debug)]
pub(crate) enum ExportFileError {
    Exists(PathBuf),
    Unfinished(PathBuf),
    Io { path: PathBuf, cause: io::Error },
}

impl ExportFile {
    /// Creates the temporary file, unless `path` exists already.
    pub(super) fn create(path: &Path) -> Result<Self, ExportFileError> {
        // Checked here so that a long export does not run in vain. `finish` checks again,
        // atomically.
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

    /// Syncs the file and renames it to its final name, unless a file of that name appeared
    /// meanwhile.
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
            // A partial export could be mistaken for a complete one.
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}

impl fmt::Display for ExportFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(path) => write!(
                f,
                "{} is there already and is not overwritten: name another file, or move it away",
                path.display()
            ),
            Self::Unfinished(path) => write!(
                f,
                "{} exists: another export is in progress, or was interrupted; in that case \
                 remove it",
                path.display()
            ),
            Self::Io { path, cause } => write!(f, "{}: {cause}", path.display()),
        }
    }
}
