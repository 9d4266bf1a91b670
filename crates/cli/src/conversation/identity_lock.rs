//! A lock file beside the identity: it shows which program on this machine is connected with the
//! identity, for each server.
//!
//! A server accepts one connection for each client id, the latest. So a second program disconnects
//! the first, and warns the user before.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;

/// The bound of the server's part in the file name, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// The bound of the content. A command and a process id are shorter.
const CONTENT_BYTES_MAX: u64 = 64;

/// The lock, held while this program is connected. It is `None` where no lock file can be created.
#[derive(Default)]
pub(super) struct IdentityLock {
    file: Option<File>,
    /// The program that is connected already: its command and process id.
    pub(super) other: Option<String>,
}

impl IdentityLock {
    /// Opens the lock file of an identity at a server, and reads who holds it.
    pub(super) fn open(identity: &Path, server: &str) -> Self {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let Ok(mut file) = options.open(path(identity, server)) else {
            return Self { file: None, other: None };
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let other = Some(read(&mut file));
                Self { file: Some(file), other }
            }
            // Either it is locked now, or the file system has no locks.
            _ => Self { file: Some(file), other: None },
        }
    }

    /// Writes `command` into the lock file: now, or as soon as the other program has ended.
    pub(super) fn hold(&mut self, command: &'static str) {
        let Some(mut file) = self.file.take() else { return };
        if self.other.is_none() {
            write(&mut file, command);
            self.file = Some(file);
            return;
        }
        // Without the thread, the next program is not warned; nothing else depends on it.
        let _ = thread::Builder::new().name("in use".to_owned()).spawn(move || {
            if file.lock().is_ok() {
                write(&mut file, command);
                // The lock must last until the process ends.
                std::mem::forget(file);
            }
        });
    }
}

/// Returns the path of the lock file. Each server has its own.
fn path(identity: &Path, server: &str) -> PathBuf {
    let plain = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
    let mut name: String =
        server.chars().map(|character| if plain(character) { character } else { '_' }).collect();
    name.truncate(NAME_BYTES_MAX);
    let file = identity.file_name().unwrap_or_default().to_string_lossy();
    identity.with_file_name(format!("{file}.{name}.lock"))
}

fn read(file: &mut File) -> String {
    let mut text = String::new();
    // A read error leaves the text empty; the program is then called "another securecall".
    let _ = file.take(CONTENT_BYTES_MAX).read_to_string(&mut text);
    match text.trim().split_once(' ') {
        Some((command @ ("call" | "listen"), process)) if process.parse::<u32>().is_ok() => {
            format!("securecall {command} (process {process})")
        }
        _ => "another securecall".to_owned(),
    }
}

fn write(file: &mut File, command: &str) {
    let text = format!("{command} {}\n", std::process::id());
    // After a write error, other programs see no name.
    let _ = file.set_len(0).and_then(|()| file.rewind());
    let _ = file.write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_program_sees_the_first_at_the_same_server_only() {
        let folder = tempfile::tempdir().unwrap();
        let identity = folder.path().join("identity.json");
        let mut first = IdentityLock::open(&identity, "ws://127.0.0.1/signal");
        assert_eq!(first.other, None);
        first.hold("listen");
        let holder = format!("securecall listen (process {})", std::process::id());
        let second = IdentityLock::open(&identity, "ws://127.0.0.1/signal");
        assert_eq!(second.other, Some(holder));
        assert_eq!(IdentityLock::open(&identity, "wss://example.org/signal").other, None);
        drop((first, second));
        assert_eq!(IdentityLock::open(&identity, "ws://127.0.0.1/signal").other, None);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_no_obstacle() {
        let mut file =
            IdentityLock::open(Path::new("/proc/identity.json"), "ws://127.0.0.1/signal");
        file.hold("listen");
        assert_eq!(file.other, None);
    }
}
