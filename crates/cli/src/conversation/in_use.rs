//! A mark beside the identity: which program of this machine is connected with it, at which server.
//!
//! A server keeps one connection for each client id, the latest. So a second program ends the first,
//! and says so before.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;

/// Longest name of a server within a file's name, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// More than a command and a process id take.
const MARK_BYTES_MAX: u64 = 64;

/// Held for as long as this program is connected. Where no mark can be made there is none.
#[derive(Default)]
pub(super) struct InUse {
    mark: Option<File>,
    /// The program that is connected already: its command and process id.
    pub(super) other: Option<String>,
}

impl InUse {
    /// Looks who is connected with the identity at this server.
    pub(super) fn look(identity: &Path, server: &str) -> Self {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let Ok(mut mark) = options.open(path(identity, server)) else {
            return Self { mark: None, other: None };
        };
        match mark.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let other = Some(read(&mut mark));
                Self { mark: Some(mark), other }
            }
            // An error: this file system has no locks.
            _ => Self { mark: Some(mark), other: None },
        }
    }

    /// Marks that `command` is connected from now on, or as soon as the other program has ended.
    pub(super) fn mark(&mut self, command: &'static str) {
        let Some(mut mark) = self.mark.take() else { return };
        if self.other.is_none() {
            write(&mut mark, command);
            self.mark = Some(mark);
            return;
        }
        // An error: the next program is not told.
        let _ = thread::Builder::new().name("in use".to_owned()).spawn(move || {
            if mark.lock().is_ok() {
                write(&mut mark, command);
                // Until the process ends.
                std::mem::forget(mark);
            }
        });
    }
}

/// The mark of an identity, for each server one.
fn path(identity: &Path, server: &str) -> PathBuf {
    let plain = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
    let mut name: String =
        server.chars().map(|character| if plain(character) { character } else { '_' }).collect();
    name.truncate(NAME_BYTES_MAX);
    let file = identity.file_name().unwrap_or_default().to_string_lossy();
    identity.with_file_name(format!("{file}.{name}.lock"))
}

fn read(mark: &mut File) -> String {
    let mut text = String::new();
    // An error: it is said without the name.
    let _ = mark.take(MARK_BYTES_MAX).read_to_string(&mut text);
    match text.trim().split_once(' ') {
        Some((command @ ("call" | "listen"), process)) if process.parse::<u32>().is_ok() => {
            format!("securecall {command} (process {process})")
        }
        _ => "another securecall".to_owned(),
    }
}

fn write(mark: &mut File, command: &str) {
    let text = format!("{command} {}\n", std::process::id());
    // An error: others are told without the name.
    let _ = mark.set_len(0).and_then(|()| mark.rewind());
    let _ = mark.write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_program_is_told_of_the_first_at_the_same_server_alone() {
        let folder = tempfile::tempdir().unwrap();
        let identity = folder.path().join("identity.json");
        let mut first = InUse::look(&identity, "ws://127.0.0.1/signal");
        assert_eq!(first.other, None);
        first.mark("listen");
        let told = format!("securecall listen (process {})", std::process::id());
        let second = InUse::look(&identity, "ws://127.0.0.1/signal");
        assert_eq!(second.other, Some(told));
        assert_eq!(InUse::look(&identity, "wss://example.org/signal").other, None);
        drop((first, second));
        assert_eq!(InUse::look(&identity, "ws://127.0.0.1/signal").other, None);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_no_obstacle() {
        let mut mark = InUse::look(Path::new("/proc/identity.json"), "ws://127.0.0.1/signal");
        mark.mark("listen");
        assert_eq!(mark.other, None);
    }
}
