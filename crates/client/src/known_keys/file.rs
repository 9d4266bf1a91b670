//! The file of known keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use securecall_protocol::ClientId;

use super::KnownKeys;

/// Digits in a fingerprint: eight groups of five.
const GROUPS: usize = 8;
const GROUP_DIGITS: usize = 5;

/// Why the known keys are not to be had or not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnownKeysError {
    /// The file or its folder.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A line that is not a client id and a fingerprint. Correct it, or delete it and compare
    /// fingerprints anew.
    #[error("{} line {line}: not a client id and its fingerprint", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Others could put keys of their own in. `chmod 600` it after looking into it.
    #[error("{} can be written by others: chmod 600", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
}

pub(super) fn read(path: &Path) -> Result<BTreeMap<Box<str>, String>, KnownKeysError> {
    let text =
        match File::open(path).and_then(|file| Ok((exposed(&file)?, io::read_to_string(file)?))) {
            Ok((true, _)) => return Err(KnownKeysError::Exposed { path: path.to_owned() }),
            Ok((false, text)) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(failed(path, error)),
        };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(at, line)| {
            parse(line)
                .ok_or_else(|| KnownKeysError::Malformed { path: path.to_owned(), line: at + 1 })
        })
        .collect()
}

pub(super) fn write(path: &Path, keys: &KnownKeys) -> Result<(), KnownKeysError> {
    let mut text = String::new();
    for (client_id, fingerprint) in keys.iter() {
        let _ = writeln!(text, "{client_id} {fingerprint}");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    // Two clients of one program may save at the same time, each its own.
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let replaced = write_through(&draft, &text)
        .and_then(|()| fs::rename(&draft, path))
        .and_then(|()| sync_folder(folder));
    replaced.map_err(|error| {
        let _ = fs::remove_file(&draft);
        failed(path, error)
    })
}

fn parse(line: &str) -> Option<(Box<str>, String)> {
    let (client_id, fingerprint) = line.split_once(' ')?;
    ClientId::try_from(client_id).ok()?;
    let groups: Vec<_> = fingerprint.split(' ').collect();
    let is_group = |group: &&str| {
        group.len() == GROUP_DIGITS && group.bytes().all(|digit| digit.is_ascii_digit())
    };
    let whole = groups.len() == GROUPS && groups.iter().all(is_group);
    whole.then(|| (client_id.into(), fingerprint.to_owned()))
}

fn write_through(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// So that the rename is on the disk, too.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Whether others may write to it.
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

fn failed(path: &Path, error: io::Error) -> KnownKeysError {
    KnownKeysError::Io { path: path.to_owned(), error }
}
