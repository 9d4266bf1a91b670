//! A person's `securecall`, with its own home folder.

use std::io::{Read, Write as _};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The time limit for everything here, generous for a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A person with an identity.
pub(crate) struct Person {
    home: TempDir,
    name: String,
}

impl Person {
    pub(crate) fn new(name: &str) -> Self {
        let person = Self { home: tempfile::tempdir().unwrap(), name: name.to_owned() };
        person.run("", &["keys", "new", name]).ends_with(0);
        person
    }

    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn fingerprint(&self) -> String {
        let mut shown = self.run("", &["keys", "show"]);
        shown.waits_for("fingerprint");
        let text = shown.stdout();
        text.split_once("fingerprint").unwrap().1.trim().to_owned()
    }

    /// Returns the fingerprint without spaces.
    pub(crate) fn digits(&self) -> String {
        self.fingerprint().replace(' ', "")
    }

    /// Returns the form that `--accept-from` and `--fingerprint` take.
    pub(crate) fn contact(&self) -> String {
        format!("{}={}", self.name, self.fingerprint())
    }

    /// Returns the directory key of this person.
    pub(crate) fn directory_key(&self) -> String {
        let mut shown = self.run("", &["keys", "show", "--json"]);
        shown.waits_for("directoryKey");
        let keys: serde_json::Value = serde_json::from_str(&shown.stdout()).unwrap();
        keys["directoryKey"].as_str().unwrap().to_owned()
    }

    /// Writes a file with these lines, for `--message-file`.
    pub(crate) fn writes_lines(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), format!("{text}\n")).unwrap();
    }

    /// Simulates a new device: the same id with new keys.
    pub(crate) fn takes_new_keys(&self) {
        std::fs::remove_file(self.home.path().join(".config/securecall/identity.json")).unwrap();
        self.run("", &["keys", "new", &self.name]).ends_with(0);
    }

    /// Writes a file of that size with unique content.
    pub(crate) fn writes(&self, name: &str, bytes: usize) -> PathBuf {
        let path = self.folder().join(name);
        let content: Vec<u8> = (0..bytes as u64).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs the command against a server. An empty URL is for commands that need none.
    pub(crate) fn run(&self, server: &str, arguments: &[&str]) -> Terminal {
        self.run_reading(server, arguments, Stdio::piped())
    }

    /// Runs the command with other standard input.
    pub(crate) fn run_reading(
        &self,
        server: &str,
        arguments: &[&str],
        input: impl Into<Stdio>,
    ) -> Terminal {
        let mut command = Command::new(env!("CARGO_BIN_EXE_securecall"));
        command.env_clear().args(arguments);
        self.start(server, command, input.into())
    }

    /// Runs the command with a clock that is off by `offset`, such as `-2h`, through `faketime`.
    pub(crate) fn run_with_clock(
        &self,
        offset: &str,
        server: &str,
        arguments: &[&str],
    ) -> Terminal {
        let mut command = Command::new("faketime");
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command.args(["-f", offset, env!("CARGO_BIN_EXE_securecall")]).args(arguments);
        self.start(server, command, Stdio::piped())
    }

    /// Runs a shell line in which `$SECURECALL` is the command.
    pub(crate) fn run_in_shell(&self, server: &str, line: &str) -> Terminal {
        let mut command = Command::new("sh");
        command.env_clear().args(["-c", line]).env("SECURECALL", env!("CARGO_BIN_EXE_securecall"));
        self.start(server, command, Stdio::piped())
    }

    /// Runs the command at a terminal, made by `script` of util-linux. Both streams are one.
    pub(crate) fn run_at_a_terminal(&self, server: &str, arguments: &[&str]) -> Terminal {
        let quote = |word: &&str| match word.contains(' ') {
            true => format!("'{word}'"),
            false => (*word).to_owned(),
        };
        let words = [&[env!("CARGO_BIN_EXE_securecall")], arguments].concat();
        let line = words.iter().map(quote).collect::<Vec<_>>().join(" ");
        self.run_line_at_a_terminal(server, &line)
    }

    /// Runs a shell line at a terminal.
    pub(crate) fn run_line_at_a_terminal(&self, server: &str, line: &str) -> Terminal {
        let mut command = Command::new("script");
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path);
        command.env("TERM", "xterm-256color");
        command.args(["--quiet", "--return", "--flush", "--command", line, "/dev/null"]);
        self.start(server, command, Stdio::piped())
    }

    fn start(&self, server: &str, mut command: Command, input: Stdio) -> Terminal {
        let mut child = command
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("SECURECALL_SERVER", server)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Terminal {
            input: child.stdin.take(),
            stdout: collect(child.stdout.take().unwrap()),
            stderr: collect(child.stderr.take().unwrap()),
            child,
        }
    }
}

/// A running command, killed on drop.
pub(crate) struct Terminal {
    child: Child,
    input: Option<ChildStdin>,
    stdout: Collected,
    stderr: Collected,
}

/// The output so far.
type Collected = Arc<Mutex<Vec<u8>>>;

impl Terminal {
    pub(crate) fn types(&mut self, line: &str) {
        self.types_bytes(format!("{line}\n").as_bytes());
    }

    pub(crate) fn types_bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Closes the input.
    pub(crate) fn types_no_more(&mut self) {
        self.input = None;
    }

    pub(crate) fn stdout(&self) -> String {
        text(&self.stdout)
    }

    pub(crate) fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// Waits until a text appears on either stream.
    #[track_caller]
    pub(crate) fn waits_for(&mut self, text: &str) {
        let shown = |terminal: &Self| terminal.stdout() + &terminal.stderr();
        self.waits_until(text, |terminal| shown(terminal).contains(text));
    }

    /// Waits until a text has appeared this number of times on either stream.
    #[track_caller]
    pub(crate) fn waits_for_times(&mut self, text: &str, times: usize) {
        let shown = |terminal: &Self| terminal.stdout() + &terminal.stderr();
        self.waits_until(text, |terminal| shown(terminal).matches(text).count() >= times);
    }

    /// Waits until the screen of a terminal shows a text, and returns the screen.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) -> String {
        self.waits_until(text, |terminal| terminal.screen().contains(text));
        self.screen()
    }

    /// Returns the screen of a terminal, without trailing spaces.
    pub(crate) fn screen(&self) -> String {
        const COLUMNS: u16 = 80;
        let [rows, columns] = [200, COLUMNS].map(|count| NonZeroU16::new(count).unwrap());
        let mut parser = vt100::Parser::new(rows, columns, 0);
        parser.process(&self.stdout.lock().unwrap());
        let rows = parser.screen().rows(0, COLUMNS).map(|row| row.trim_end().to_owned());
        rows.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Closes the input, and waits for the exit code.
    #[track_caller]
    pub(crate) fn ends_with(&mut self, code: i32) {
        self.types_no_more();
        self.ends_by_itself_with(code);
    }

    /// Waits for the exit code with the input open.
    #[track_caller]
    pub(crate) fn ends_by_itself_with(&mut self, code: i32) {
        self.waits_until("the end", |terminal| terminal.status().is_some());
        let status = self.status().unwrap();
        // Lets the reader threads collect the rest.
        thread::sleep(Duration::from_millis(100));
        assert_eq!(status.code(), Some(code), "{}", self.stderr());
    }

    /// Waits for the end of the command, with any exit code.
    #[track_caller]
    pub(crate) fn waits_until_ended(&mut self) {
        self.waits_until("the end", |terminal| terminal.status().is_some());
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Kills the command and its child processes with SIGKILL, so that none disconnects cleanly.
    pub(crate) fn crashes(mut self) {
        signal("KILL", self.securecall());
        let _ = self.child.wait();
    }

    /// Returns the process id of the command itself, which other programs may have started.
    pub(crate) fn securecall(&self) -> u32 {
        let mut process = self.process_id();
        while let Some(child) = child_of(process) {
            process = child;
        }
        process
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    #[track_caller]
    fn waits_until(&mut self, what: &str, condition: impl Fn(&mut Self) -> bool) {
        let patience = Instant::now() + PATIENCE;
        while !condition(self) {
            let shown = self.stdout() + &self.stderr();
            assert!(Instant::now() < patience, "{what} did not come:\n{shown}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(collected: &Collected) -> String {
    // A terminal ends lines with CR LF.
    String::from_utf8_lossy(&collected.lock().unwrap()).replace("\r\n", "\n")
}

fn collect(mut stream: impl Read + Send + 'static) -> Collected {
    let collected = Collected::default();
    let taken = collected.clone();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
            taken.lock().unwrap().extend_from_slice(&buffer[..bytes]);
        }
    });
    collected
}

fn child_of(process: u32) -> Option<u32> {
    let children = format!("/proc/{process}/task/{process}/children");
    std::fs::read_to_string(children).ok()?.split_whitespace().next()?.parse().ok()
}

/// Sends a signal by its name, with `kill`.
pub(crate) fn signal(name: &str, process_id: u32) {
    let id = process_id.to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}
