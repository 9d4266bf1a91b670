//! The file of known keys, which several programs may share.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::change::Changes;
use super::entries::{Entries, Fingerprints};
use super::{KnownKeysError, lock};
use crate::folder::{folder_of, sync_folder};

/// Ten servers, of which each has as many clients with long ids as are remembered.
pub(super) const FILE_BYTES_MAX: u64 = 16 << 20;
/// Time that a save gives other programs to finish theirs.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// The file with the keys of one server's clients.
#[derive(Clone)]
pub(super) struct KeysFile {
    pub(super) path: PathBuf,
    /// `HOST:PORT`
    pub(super) server: String,
}

impl KeysFile {
    /// A file that is not there is an empty one. It needs no lock: the file is replaced in one
    /// step.
    pub(super) fn read(&self) -> Result<Entries, KnownKeysError> {
        let text = match File::open(&self.path).and_then(|file| self.text(&file)) {
            Ok(text) => text?,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(KnownKeysError::io(&self.path, error)),
        };
        Entries::parse(&text, &self.server)
            .map_err(|line| KnownKeysError::Malformed { path: self.path.clone(), line })
    }

    fn text(&self, file: &File) -> io::Result<Result<String, KnownKeysError>> {
        if exposed(file)? {
            return Ok(Err(KnownKeysError::Exposed { path: self.path.clone() }));
        }
        let mut text = String::new();
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        Ok(self.bounded(text))
    }

    fn bounded(&self, text: String) -> Result<String, KnownKeysError> {
        let fits = text.len() as u64 <= FILE_BYTES_MAX;
        if fits { Ok(text) } else { Err(KnownKeysError::TooLarge { path: self.path.clone() }) }
    }

    /// Makes the changes to the entries that the file has by now. Returns the new ones.
    pub(super) fn update(&self, changes: &Changes) -> Result<Fingerprints, KnownKeysError> {
        if changes.is_empty() {
            return Ok(self.read()?.fingerprints);
        }
        let folder = folder_of(&self.path);
        fs::create_dir_all(folder).map_err(|error| KnownKeysError::io(folder, error))?;
        let _lock = self.lock()?;
        let mut entries = self.read()?;
        changes.apply(&mut entries.fingerprints);
        let text = self.bounded(entries.to_text(&self.server))?;
        self.replace(&text, folder).map_err(|error| KnownKeysError::io(&self.path, error))?;
        Ok(entries.fingerprints)
    }

    fn lock(&self) -> Result<File, KnownKeysError> {
        let path = self.beside(".lock");
        let lock = lock::acquire(&path, LOCK_PATIENCE);
        let lock = lock.map_err(|error| KnownKeysError::io(&path, error))?;
        lock.ok_or_else(|| KnownKeysError::Busy { path: self.path.clone() })
    }

    /// In one step, and to the disk.
    fn replace(&self, text: &str, folder: &Path) -> io::Result<()> {
        let draft = self.beside(".new");
        // Ours under the lock: what is there was cut short, or is somebody's link.
        let _ = fs::remove_file(&draft);
        let replaced = write_through(&draft, text)
            .and_then(|()| fs::rename(&draft, &self.path))
            .and_then(|()| sync_folder(folder));
        if replaced.is_err() {
            let _ = fs::remove_file(&draft);
        }
        replaced
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(suffix);
        path.into()
    }
}

fn write_through(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Returns whether others may write to it.
fn exposed(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(file.metadata()?.permissions().mode() & 0o022 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(false)
    }
}
