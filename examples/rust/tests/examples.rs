//! The examples, as processes, at a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is all tests")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use securecall_server::settings::Settings;
use securecall_testkit::free_address;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server for as long as the test process runs; its address, and its folder.
fn server() -> (String, TempDir) {
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let data_dir = folder.path().join("data");
    let flags = [format!("--listen={address}"), format!("--data-dir={}", data_dir.display())];
    thread::spawn(move || securecall_server::serve(Settings::from_flags(flags).unwrap()).unwrap());
    (format!("ws://{address}/signal"), folder)
}

/// A running example. Killed when it is dropped.
struct Example {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Example {
    fn start(program: &str, folder: &TempDir, arguments: &[&str]) -> Self {
        let mut process = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let input = process.stdin.take();
        Self { process, input, lines }
    }

    fn says(&self, beginning: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("it should say: {beginning}"));
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn ends_well(mut self) {
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn two_people_chat_over_a_data_channel_and_are_the_same_people_the_next_time() {
    let (url, folder) = server();
    let chat = |arguments: &[&str]| Example::start(env!("CARGO_BIN_EXE_chat"), &folder, arguments);
    for greeting in ["hello", "hello again"] {
        let mut bertha = chat(&[&url, "bertha"]);
        bertha.says("bertha can be called");
        let mut anton = chat(&[&url, "anton", "bertha"]);
        bertha.says("anton calls");
        anton.types(greeting);
        assert_eq!(bertha.says("> "), format!("> {greeting}"));
        bertha.types("hello yourself");
        assert_eq!(anton.says("> "), "> hello yourself");
        anton.input = None;
        anton.ends_well();
        bertha.ends_well();
    }
}

#[test]
fn the_caller_receives_the_echo_of_the_callee() {
    let (url, folder) = server();
    let callee = Example::start(env!("CARGO_BIN_EXE_callee"), &folder, &[&url, "bertha"]);
    callee.says("bertha can be called");
    let caller = Example::start(env!("CARGO_BIN_EXE_caller"), &folder, &[&url, "anton", "bertha"]);
    assert_eq!(caller.says("heard"), "heard: hello!");
    caller.ends_well();
}

#[test]
fn an_example_with_a_wrong_port_ends_with_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("ws://{}/signal", free_address());
    let output = Command::new(env!("CARGO_BIN_EXE_caller"))
        .args([&url, "anton", "bertha"])
        .current_dir(&folder)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("refused"), "{error}");
}
