//! The source of the certificate, and its renewal.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::signal::unix::Signal;

use super::acme::Acme;
use super::certificate::read_chain;
use super::reload::{CertificateFiles, follow};
use super::{Certificate, CertificateError, Certificates, Tls};
use crate::data_dir::{DataDir, DataDirError};
use crate::settings::{self, Settings};

/// The reason why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The part of the data folder that belongs to ACME cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// There are no random numbers.
    #[error("TLS cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The source that renews the certificate.
pub(crate) enum Source {
    Files(CertificateFiles, Arc<Certificates>),
    Acme(Box<Acme>),
}

impl Source {
    /// Creates TLS by the settings, or returns `None` if connections are plain.
    ///
    /// # Errors
    /// A certificate in files, or that of a private authority, cannot be used. One by ACME may
    /// still be missing.
    pub(crate) fn open(
        settings: &Settings,
        data_dir: &DataDir,
    ) -> Result<Option<(Tls, Self)>, TlsError> {
        let certificates = Arc::new(Certificates::default());
        let source = if let (Some(certificate), Some(key)) =
            (&settings.tls.certificate, &settings.tls.key)
        {
            let mut files = CertificateFiles::new(certificate.clone(), key.clone());
            certificates.replace(files.read(SystemTime::now())?);
            Self::Files(files, certificates.clone())
        } else if settings.acme.domains.is_empty() {
            return Ok(None);
        } else {
            check_authority(&settings.acme)?;
            let (settings, folder) = (settings.acme.clone(), data_dir.acme()?);
            let acme = Acme { settings, folder, certificates: certificates.clone() };
            acme.start();
            Self::Acme(Box::new(acme))
        };
        let tls = Tls::new(certificates, matches!(source, Self::Acme(_)))?;
        Ok(Some((tls, source)))
    }

    /// Checks the files that [`Source::open`] would read, except the stored ones of ACME.
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub(crate) fn inspect(settings: &Settings) -> Result<(), TlsError> {
        if let (Some(certificate), Some(key)) = (&settings.tls.certificate, &settings.tls.key) {
            Certificate::read(certificate, key, SystemTime::now())?;
        }
        Ok(check_authority(&settings.acme)?)
    }

    /// Renews the certificate, forever. `hangup` is SIGHUP, which makes it read files again; ACME
    /// does not need it.
    pub(crate) async fn run(self, hangup: Signal) {
        match self {
            Self::Files(files, certificates) => follow(files, certificates, hangup).await,
            Self::Acme(acme) => acme.run().await,
        }
    }
}

/// Refuses an invalid certificate of a private authority, with which every order would fail.
fn check_authority(acme: &settings::Acme) -> Result<(), CertificateError> {
    acme.ca.as_ref().map_or(Ok(()), |ca| read_chain("acme.ca", ca).map(drop))
}
