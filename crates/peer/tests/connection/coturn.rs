//! A real TURN server, Debian's coturn, on loopback.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use securecall_peer::IceServer;
use sha1::Sha1;
use tempfile::TempDir;

pub(crate) const SECRET: &str = "the secret of the test";

/// A turnserver that knows one secret. Killed when dropped.
pub(crate) struct Coturn {
    process: Child,
    pub(crate) port: u16,
    _folder: TempDir,
}

impl Coturn {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let process = Command::new("turnserver")
            .args(["-n", "--use-auth-secret", "--no-tls", "--no-dtls", "--no-cli"])
            .args(["--allow-loopback-peers", "--simple-log", "--no-rfc5780"])
            .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--realm=securecall.test"])
            .arg(format!("--listening-port={port}"))
            .arg(format!("--static-auth-secret={SECRET}"))
            .arg(format!("--pidfile={}", file("pid")))
            .arg(format!("--userdb={}", file("db")))
            .arg(format!("--log-file={}", file("log")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver: apt-get install coturn");
        let coturn = Self { process, port, _folder: folder };
        coturn.wait_until_it_listens();
        coturn
    }

    fn wait_until_it_listens(&self) {
        let patience = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < patience, "turnserver does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a signaling server would give: TURN REST credentials.
    pub(crate) fn ice_server(&self, transport: &str, secret: &str) -> IceServer {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let username = format!("{}:alice", now + 600);
        let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(username.as_bytes());
        IceServer {
            urls: vec![format!("turn:127.0.0.1:{}?transport={transport}", self.port)],
            username,
            credential: STANDARD.encode(mac.finalize().into_bytes()),
        }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
