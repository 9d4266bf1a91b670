//! A real TURN server, Debian's coturn, on loopback.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use securecall_peer::IceServer;
use securecall_testkit::free_port;
use sha1::Sha1;
use tempfile::TempDir;

pub(crate) const SECRET: &str = "the secret of the test";

/// A turnserver that knows one secret. Killed when dropped.
pub(crate) struct Coturn {
    process: Child,
    port: u16,
    tls_port: u16,
    /// Its certificate, of its own making.
    certificate: CertificateDer<'static>,
    _folder: TempDir,
}

impl Coturn {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, tls_port) = (free_port(), free_port());
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert"), own.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key"), own.signing_key.serialize_pem()).unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let process = Command::new("turnserver")
            .args(["-n", "--use-auth-secret", "--no-dtls", "--no-cli"])
            .args(["--allow-loopback-peers", "--simple-log", "--no-rfc5780"])
            .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--realm=securecall.test"])
            .arg(format!("--listening-port={port}"))
            .arg(format!("--tls-listening-port={tls_port}"))
            .arg(format!("--cert={}", file("cert")))
            .arg(format!("--pkey={}", file("key")))
            .arg(format!("--static-auth-secret={SECRET}"))
            .arg(format!("--pidfile={}", file("pid")))
            .arg(format!("--userdb={}", file("db")))
            .arg(format!("--log-file={}", file("log")))
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver: apt-get install coturn");
        let coturn =
            Self { process, port, tls_port, certificate: own.cert.der().clone(), _folder: folder };
        coturn.wait_until_it_listens();
        coturn
    }

    fn wait_until_it_listens(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        for port in [self.port, self.tls_port] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(Instant::now() < deadline, "turnserver does not listen");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// The address for STUN and TURN over UDP.
    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub(crate) fn url(&self, transport: &str) -> String {
        match transport {
            "tls" => format!("turns:127.0.0.1:{}", self.tls_port),
            transport => format!("turn:127.0.0.1:{}?transport={transport}", self.port),
        }
    }

    /// By a name that has two addresses, of which it listens on the second.
    pub(crate) fn url_by_name(&self, transport: &str) -> String {
        self.url(transport).replace("127.0.0.1", "turn.test")
    }

    /// TLS that trusts its certificate alone.
    pub(crate) fn tls(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider);
        let config = versions.with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_root_certificates(roots).with_no_client_auth())
    }

    /// The server with credentials (TURN REST), as a signaling server gives them.
    pub(crate) fn ice_server(&self, transport: &str, secret: &str) -> IceServer {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let username = format!("{}:alice", now + 600);
        let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(username.as_bytes());
        IceServer {
            urls: vec![self.url(transport)],
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
