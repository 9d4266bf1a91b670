//! A real TURN server: Debian's coturn, on loopback.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use securecall_testkit::free_port;
use tempfile::TempDir;

/// A running coturn, killed on drop.
pub(crate) struct Coturn {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Coturn {
    pub(crate) fn start(secret: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let process = Command::new("turnserver")
            .args(["-n", "--use-auth-secret", "--no-tls", "--no-dtls", "--no-cli"])
            .args(["--allow-loopback-peers", "--simple-log", "--no-rfc5780"])
            .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--realm=securecall.test"])
            .arg(format!("--listening-port={port}"))
            .arg(format!("--static-auth-secret={secret}"))
            .arg(format!("--pidfile={}", file("pid")))
            .arg(format!("--userdb={}", file("db")))
            .arg(format!("--log-file={}", file("log")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("turnserver: {error}: apt-get install coturn"));
        let coturn = Self { process, port, _folder: folder };
        let patience = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < patience, "turnserver does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        coturn
    }

    pub(crate) fn url(&self, transport: &str) -> String {
        format!("turn:127.0.0.1:{}?transport={transport}", self.port)
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
