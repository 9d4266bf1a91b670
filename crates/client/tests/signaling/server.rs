//! A whole server in a process of its own, so that it can be killed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use securecall_server::settings::Settings;
use securecall_testkit::free_address;
use tempfile::TempDir;

/// Tells the test process below to be a server; holds its flags, one a line.
const FLAGS: &str = "SECURECALL_TEST_SERVER_FLAGS";

/// A running server. Killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    data_dir: TempDir,
    flags: Vec<String>,
}

/// Not a test by itself: what [`Server::start`] runs.
#[test]
fn the_server_of_the_other_tests() {
    let Ok(flags) = std::env::var(FLAGS) else { return };
    let settings = Settings::from_flags(flags.lines().map(str::to_owned)).unwrap();
    securecall_server::serve(settings).unwrap();
}

impl Server {
    pub(crate) fn start(flags: &[&str]) -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let address = free_address();
        let flags: Vec<_> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let process = spawn(address, data_dir.path(), &flags);
        Self { process, address, data_dir, flags }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/signal", self.address)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `kill -9`, and a new process with the same data at the same address.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        self.process = spawn(self.address, self.data_dir.path(), &self.flags);
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts one, and waits until it says that it listens.
fn spawn(address: SocketAddr, data_dir: &Path, flags: &[String]) -> Child {
    let own = [format!("--listen={address}"), format!("--data-dir={}", data_dir.display())];
    let flags: Vec<_> = own.iter().chain(flags).map(String::as_str).collect();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server::the_server_of_the_other_tests", "--nocapture"])
        .env(FLAGS, flags.join("\n"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("listening on")), "it should listen");
    // What else it says is read, so that it can go on.
    std::thread::spawn(move || lines.for_each(drop));
    process
}
