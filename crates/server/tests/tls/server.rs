//! A whole server, on a thread of the test.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use securecall_server::settings::Settings;
use securecall_testkit::free_address;
use tempfile::TempDir;

/// A running server, which lives as long as the test process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    pub(crate) data_dir: TempDir,
}

impl Server {
    /// Starts a server with these settings, and waits until it listens.
    pub(crate) fn start(flags: impl IntoIterator<Item = String>) -> Self {
        Self::start_at(free_address(), flags)
    }

    pub(crate) fn start_at(address: SocketAddr, flags: impl IntoIterator<Item = String>) -> Self {
        Self::start_in(address, tempfile::tempdir().unwrap(), flags)
    }

    /// Starts a server whose data folder is `data` in that folder.
    pub(crate) fn start_in(
        address: SocketAddr,
        data_dir: TempDir,
        flags: impl IntoIterator<Item = String>,
    ) -> Self {
        let admin = free_address();
        let own = [
            format!("--listen={address}"),
            format!("--admin-listen={admin}"),
            format!("--data-dir={}", data_dir.path().join("data").display()),
        ];
        let settings = Settings::from_flags(own.into_iter().chain(flags)).unwrap();
        thread::spawn(|| securecall_server::serve(settings).unwrap());
        wait_for(|| TcpStream::connect(address).is_ok().then_some(()), "it should listen");
        Self { address, admin, data_dir }
    }

    /// Returns the value of a metric.
    pub(crate) fn metric(&self, name: &str) -> i64 {
        let mut admin = TcpStream::connect(self.admin).unwrap();
        admin.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut metrics = String::new();
        admin.read_to_string(&mut metrics).unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
    }

    pub(crate) fn wait_for_metric(&self, name: &str, value: i64) {
        let what = format!("{name} should be {value}");
        wait_for(|| (self.metric(name) == value).then_some(()), &what);
    }
}

/// Waits until `look` returns `Some`, for ten seconds at most.
pub(crate) fn wait_for<T>(mut look: impl FnMut() -> Option<T>, what: &str) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}
