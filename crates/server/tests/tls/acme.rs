//! A certificate from a certificate authority: Pebble, the test authority of Let's Encrypt. It
//! verifies names over TLS-ALPN-01 like a public one, and rejects some valid nonces to test
//! retries.
//!
//! It needs Debian's `pebble`, so it runs on request, like `programs`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use securecall_testkit::{free_address, free_port};

use crate::authority::Authority;
use crate::client::config;
use securecall_testkit::wait_for;

const DOMAINS: [&str; 2] = ["a.example", "b.example"];

/// A program that is killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(command: &mut Command) -> Running {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// An authority that issues certificates to the server. Its own HTTPS certificate is issued by
/// `authority`.
struct Pebble {
    directory: String,
    management: SocketAddr,
    _running: [Running; 2],
}

impl Pebble {
    /// Starts an authority that resolves every name to `server`, and issues certificates with this
    /// validity in seconds.
    fn start(authority: &Authority, server: SocketAddr, validity: u32) -> Self {
        let own = authority.issue("pebble");
        let [names, acme, management] = [free_address(), free_address(), free_address()];
        let config = serde_json::json!({"pebble": {
            "listenAddress": acme.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": own.chain,
            "privateKey": own.key,
            "certificateValidityPeriod": validity,
            "httpPort": free_port(),
            "tlsPort": server.port(),
        }});
        let file = authority.folder.path().join("pebble.json");
        fs::write(&file, config.to_string()).unwrap();
        let mut resolver = Command::new("pebble-challtestsrv");
        resolver.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        resolver.args(["-management", "", "-dns01", &names.to_string()]);
        resolver.args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]);
        let mut pebble = Command::new("pebble");
        pebble.arg("-config").arg(&file).args(["-dnsserver", &names.to_string()]);
        pebble.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "5");
        let running = [spawn(&mut resolver), spawn(&mut pebble)];
        wait_for(|| TcpStream::connect(acme).ok(), "pebble should listen");
        let directory = format!("https://localhost:{}/dir", acme.port());
        Self { directory, management, _running: running }
    }

    /// Returns the settings of a server that uses this authority.
    fn flags(&self, authority: &Authority) -> [String; 4] {
        [
            format!("--acme-domains={}", DOMAINS.join(",")),
            "--acme-contact=admin@a.example".to_owned(),
            format!("--acme-directory={}", self.directory),
            format!("--acme-ca={}", authority.file().display()),
        ]
    }

    /// Returns the roots of its certificates.
    fn roots(&self, authority: &Authority) -> RootCertStore {
        let mut stream = connect(self.management, "localhost", config(authority, &[&TLS13]));
        stream
            .write_all(b"GET /roots/0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&response).unwrap()).unwrap();
        roots
    }
}

fn connect(
    address: SocketAddr,
    name: &'static str,
    config: Arc<ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from(name).unwrap();
    let tls = ClientConnection::new(config, name).unwrap();
    StreamOwned::new(tls, TcpStream::connect(address).unwrap())
}

/// Returns the certificate that the server presents for a name, if it is valid for it.
fn shown(
    server: SocketAddr,
    name: &'static str,
    roots: &RootCertStore,
) -> Option<CertificateDer<'static>> {
    let config =
        ClientConfig::builder().with_root_certificates(roots.clone()).with_no_client_auth();
    let mut stream = connect(server, name, Arc::new(config));
    stream.conn.complete_io(&mut stream.sock).ok()?;
    Some(stream.conn.peer_certificates()?[0].clone().into_owned())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
#[ignore = "needs pebble"]
fn a_certificate_is_ordered_and_stored() {
    let authority = Authority::new();
    let address = free_address();
    let pebble = Pebble::start(&authority, address, 3600);
    let mut server = crate::serve_at(address, pebble.flags(&authority));
    let roots = pebble.roots(&authority);
    let shown_at_first =
        DOMAINS.map(|name| wait_for(|| shown(address, name, &roots), "it should have come"));
    assert_eq!(shown_at_first[0], shown_at_first[1], "one certificate for both names");

    let kept = server.data_dir().join("acme");
    assert_eq!(mode(&kept), 0o700);
    assert_eq!(mode(&kept.join("account.json")), 0o600);
    assert_eq!(mode(&kept.join("certificate.pem")), 0o600);

    // A restart does not need the authority.
    drop(pebble);
    server.kill_and_restart();
    assert_eq!(shown(server.address(), DOMAINS[1], &roots), Some(shown_at_first[0].clone()));
}

#[test]
#[ignore = "needs pebble"]
fn it_is_renewed_when_two_thirds_of_its_time_are_over() {
    let authority = Authority::new();
    let address = free_address();
    let pebble = Pebble::start(&authority, address, 9);
    let _server = crate::serve_at(address, pebble.flags(&authority));
    let roots = pebble.roots(&authority);
    let first = wait_for(|| shown(address, DOMAINS[0], &roots), "it should have come");
    let renewed = || shown(address, DOMAINS[0], &roots).filter(|shown| *shown != first);
    wait_for(renewed, "it should be renewed");
}
