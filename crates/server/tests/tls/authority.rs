//! A certificate authority for tests.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

/// An authority, and the folder with its files.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) folder: TempDir,
}

/// A certificate in files.
pub(crate) struct Issued {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) der: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "an authority for tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// Issues a certificate for localhost, valid from yesterday to tomorrow.
    pub(crate) fn issue(&self, name: &str) -> Issued {
        self.issue_for_days(name, -1, 1)
    }

    /// Issues a certificate with this validity, in days from now.
    pub(crate) fn issue_for_days(&self, name: &str, from: i64, until: i64) -> Issued {
        self.issue_between(name, Duration::days(from), Duration::days(until))
    }

    /// Issues a certificate with this validity, relative to now.
    pub(crate) fn issue_between(&self, name: &str, from: Duration, until: Duration) -> Issued {
        let mut params =
            CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.not_before = OffsetDateTime::now_utc() + from;
        params.not_after = OffsetDateTime::now_utc() + until;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |end: &str| self.folder.path().join(format!("{name}.{end}"));
        let issued =
            Issued { chain: path("pem"), key: path("key"), der: certificate.der().clone() };
        fs::write(&issued.chain, certificate.pem() + &self.issuer.pem()).unwrap();
        fs::write(&issued.key, key.serialize_pem()).unwrap();
        fs::set_permissions(&issued.key, fs::Permissions::from_mode(0o600)).unwrap();
        issued
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        roots
    }

    /// Returns the file of its own certificate, for clients that are programs.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Issued {
    /// Returns the settings that use this certificate.
    pub(crate) fn flags(&self) -> Vec<String> {
        let flag = |name: &str, path: &Path| format!("--tls-{name}={}", path.display());
        vec![flag("certificate", &self.chain), flag("key", &self.key)]
    }
}
