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

#[cfg(test)]
mod tests {
    use securecall_seal::{Identity, Seed, Suite};

    use super::*;

    fn keys_of(names: &[&str], path: &Path) -> KnownKeys {
        let mut keys = KnownKeys::open(path).unwrap();
        for name in names {
            let seed = Seed::generate(&mut rand::rng());
            let identity = Identity::new(name, &seed, Suite::X25519).unwrap();
            assert!(keys.remember(identity.directory_key()));
        }
        keys
    }

    #[test]
    fn what_is_saved_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("known");
        let keys = keys_of(&["alice", "bob"], &path);
        keys.save().unwrap();
        let again = KnownKeys::open(&path).unwrap();
        assert_eq!(again.iter().collect::<Vec<_>>(), keys.iter().collect::<Vec<_>>());
        let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(files.len(), 1, "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone_and_one_that_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        keys_of(&["alice"], &path).save().unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(KnownKeys::open(&path), Err(KnownKeysError::Exposed { .. })));
    }

    #[test]
    fn a_save_that_fails_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        keys_of(&["alice"], &path).save().unwrap();
        let before = fs::read_to_string(&path).unwrap();
        // A folder where the draft belongs.
        fs::create_dir(path.with_extension(format!("{}.new", std::process::id()))).unwrap();
        let keys = keys_of(&["bob"], &path);
        assert!(matches!(keys.save(), Err(KnownKeysError::Io { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
    }

    #[test]
    fn a_line_that_is_something_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        let fingerprint = ["12345"; GROUPS].join(" ");
        for line in ["alice", "alice 12345", "a/b 1", &format!("{fingerprint} alice"), "x  y"] {
            fs::write(&path, format!("bob {fingerprint}\n{line}\n")).unwrap();
            let error = KnownKeys::open(&path).unwrap_err();
            assert!(matches!(error, KnownKeysError::Malformed { line: 2, .. }), "{line}: {error}");
        }
    }

    #[test]
    fn another_key_of_the_same_client_takes_the_place_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        let mut keys = keys_of(&["alice", "alice"], &path);
        assert_eq!(keys.iter().count(), 1);
        assert!(keys.forget(&"alice".try_into().unwrap()));
        assert_eq!(keys.iter().count(), 0);
    }
}
