//! A process that crashes leaves no core dump.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// Runs the script in a shell without a limit for core dumps, waits for its first line, and ends it
/// with a signal that dumps.
fn killed(folder: &Path, script: &str) -> ExitStatus {
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -c $(ulimit -Hc); {script}")])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "it said nothing");
    let killed = Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    child.wait().unwrap()
}

#[test]
fn a_server_that_is_aborted_leaves_no_core() {
    let folder = tempfile::tempdir().unwrap();
    let other = killed(folder.path(), "echo; exec sleep 60");
    assert_eq!(other.signal(), Some(6));
    if !other.core_dumped() {
        // The hard limit of this machine forbids core dumps anyway.
        return;
    }
    let securecall = env!("CARGO_BIN_EXE_securecall");
    let server = killed(folder.path(), &format!("exec {securecall} serve --listen 127.0.0.1:0"));
    assert_eq!(server.signal(), Some(6));
    assert!(!server.core_dumped(), "the server has left an image of itself");
}
