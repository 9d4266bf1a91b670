//! TLS: the system's authorities, or the application's own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use securecall_client::{Disconnect, Event, Settings};

use crate::phone::{PATIENCE, Phone, identity};
use securecall_testkit::Server;

#[tokio::test]
async fn a_server_is_trusted_whose_authority_the_application_names_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    fs::write(&chain, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let flags =
        [format!("--tls-certificate={}", chain.display()), format!("--tls-key={}", key.display())];
    let server = Server::start(&[&flags[0], &flags[1]]);
    let url = server.url().replacen("ws:", "wss:", 1);

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let alice = Phone::with(Settings::new(&url, identity("alice")).tls(Arc::new(tls)));
    tokio::time::timeout(PATIENCE, alice.client.registered()).await.unwrap().unwrap();

    // To the system it is nobody's.
    let mut bob = Phone::connecting(&url, identity("bob"));
    let cause = bob.hears("the refusal", |event| match event {
        Event::Disconnected { cause: Disconnect::Untrusted(why), .. } => Some(*why),
        _ => None,
    });
    let cause = cause.await;
    assert!(cause.contains("no authority that this machine trusts"), "{cause}");
}
