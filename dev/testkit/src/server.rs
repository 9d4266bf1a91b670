//! A whole server in a process of its own, which can be killed and started again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::free_address;

/// Holds the flags of a server, one a line, in the environment of a test program that is to be one.
const FLAGS: &str = "SECURECALL_TEST_SERVER_FLAGS";

/// The test that [`Server::start`] runs in a second process of the same test program.
const TEST: &str = "the_server_of_the_other_tests";

/// A running server. Killed when it is dropped.
pub struct Server {
    command: Box<dyn Fn() -> Command + Send + Sync>,
    address: SocketAddr,
    admin: SocketAddr,
    folder: TempDir,
    flags: Vec<String>,
    process: Option<Child>,
}

/// Returns the flags of the server that this process is to be; `None` where the test runs as a test. Each test program
/// that calls [`Server::start`] has this at its root:
///
/// ```ignore
/// #[test]
/// fn the_server_of_the_other_tests() {
///     let Some(flags) = securecall_testkit::server_flags() else { return };
///     securecall_server::serve(Settings::from_flags(flags).unwrap()).unwrap();
/// }
/// ```
#[must_use]
pub fn server_flags() -> Option<Vec<String>> {
    let flags = std::env::var(FLAGS).ok()?;
    Some(flags.lines().map(str::to_owned).collect())
}

impl Server {
    /// Starts a server of this test program's code, and waits until it listens.
    pub fn start(flags: &[&str]) -> Self {
        Self::start_at(free_address(), flags)
    }

    /// Starts one at this address.
    pub fn start_at(address: SocketAddr, flags: &[&str]) -> Self {
        Self::start_as(this_test, address, flags)
    }

    /// Starts a program with `--listen`, `--admin-listen`, `--data-dir` and these flags behind its own. A program that
    /// is not this test program reads them as arguments.
    pub fn start_program(
        command: impl Fn() -> Command + Send + Sync + 'static,
        flags: &[&str],
    ) -> Self {
        Self::start_as(command, free_address(), flags)
    }

    #[allow(clippy::expect_used, reason = "a test without a folder cannot go on")]
    fn start_as(
        command: impl Fn() -> Command + Send + Sync + 'static,
        address: SocketAddr,
        flags: &[&str],
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let command = Box::new(command);
        let mut server =
            Self { command, address, admin: free_address(), folder, flags, process: None };
        server.run();
        server
    }

    /// The address for clients.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}/signal", self.address)
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Kills the process with SIGKILL, and starts another one with the same data at the same address.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.run();
    }

    /// Sends SIGTERM, at which a server drains and ends.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGHUP, at which a server reads its files again.
    pub fn reload(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let process = self.process.as_ref().map(|process| process.id().to_string());
        let sent = Command::new("kill").arg(name).args(process).status();
        assert!(sent.is_ok_and(|status| status.success()), "the server should still run");
    }

    /// Waits for the end of the process, for ten seconds at most, and returns whether it was a success.
    pub fn ended_well(&mut self) -> bool {
        let Some(mut process) = self.process.take() else { return false };
        let ended = || process.try_wait().ok().flatten();
        wait_for(ended, "the server should end").success()
    }

    /// Returns the value of a metric, by its name and labels.
    ///
    /// # Panics
    ///
    /// If there is no such metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> i64 {
        let metrics = get(self.admin, "/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {metrics}"))
    }

    /// Waits until a metric has this value.
    pub fn wait_for_metric(&self, name: &str, value: i64) {
        let what = format!("{name} should be {value}");
        wait_for(|| (self.metric(name) == value).then_some(()), &what);
    }

    #[allow(clippy::expect_used, reason = "a test without its server cannot go on")]
    fn run(&mut self) {
        let own = [
            format!("--listen={}", self.address),
            format!("--admin-listen={}", self.admin),
            format!("--data-dir={}", self.data_dir().display()),
        ];
        let flags: Vec<_> = own.into_iter().chain(self.flags.iter().cloned()).collect();
        let mut command = (self.command)();
        if command.get_program() == this_test().get_program() {
            command.env(FLAGS, flags.join("\n"));
        } else {
            command.args(&flags);
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let process = self.process.insert(spawned.expect("the server's program"));
        let output = process.stdout.take().expect("it was piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("listening on")), "it should listen");
        // The rest of its output is read, so that its pipe does not fill.
        thread::spawn(move || lines.for_each(drop));
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

#[allow(clippy::expect_used, reason = "a test program knows its own file")]
fn this_test() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program's own file"));
    command.args(["--exact", TEST, "--nocapture"]);
    command
}

/// Asks with a GET, and returns the whole response. Waits ten seconds at most for each part of it.
///
/// # Panics
///
/// If nobody answers.
#[must_use]
#[allow(clippy::expect_used, reason = "it is documented")]
pub fn get(address: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(address).expect("somebody should listen");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket has a timeout");
    write!(socket, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it should read");
    let mut response = String::new();
    socket.read_to_string(&mut response).expect("it should answer");
    response
}

/// Looks again and again until there is something, for ten seconds at most.
///
/// # Panics
///
/// With `what`, if nothing came.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>, what: &str) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}
