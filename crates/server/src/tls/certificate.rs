//! A certificate chain and its key, from PEM files, checked before use.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::config::provider;
use crate::settings::DomainName;

/// The reason why a certificate cannot be used. Each error names the file, and the remedy where it
/// is not obvious.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum CertificateError {
    #[error("{what} {} cannot be read: {source}", path.display())]
    Unreadable { what: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "{what} {} has no {wanted} in PEM form (it should begin with -----BEGIN)",
        path.display()
    )]
    NotPem { what: &'static str, path: PathBuf, wanted: &'static str },
    #[error("tls.certificate {}: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("tls.key {}: {reason}", path.display())]
    UnusableKey { path: PathBuf, reason: String },
    #[error(
        "tls.key {} does not belong to the first certificate of tls.certificate {}, which must be \
         the server's own",
        key.display(), certificate.display()
    )]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error(
        "tls.certificate {} expired on {}: renew it",
        path.display(), humantime::format_rfc3339_seconds(*not_after)
    )]
    Expired { path: PathBuf, not_after: SystemTime },
    #[error(
        "tls.certificate {} is valid from {} on: is the clock of this machine right?",
        path.display(), humantime::format_rfc3339_seconds(*not_before)
    )]
    NotYetValid { path: PathBuf, not_before: SystemTime },
}

/// A checked certificate for clients.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) validity: Validity,
}

/// The validity period of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
}

impl Certificate {
    /// Reads a chain (the server's own certificate first) and its key.
    ///
    /// # Errors
    /// They cannot be read or used, do not belong together, or are not valid at `now`.
    pub(crate) fn read(
        certificate: &Path,
        key: &Path,
        now: SystemTime,
    ) -> Result<Self, CertificateError> {
        let chain = read_chain("tls.certificate", certificate)?;
        let validity = Validity::of(&chain[0])
            .map_err(|reason| CertificateError::Damaged { path: certificate.to_owned(), reason })?;
        let pair = CertifiedKey::from_der(chain, read_key(key)?, &provider())
            .map_err(|error| no_pair(error, certificate, key))?;
        validity.check(certificate, now)?;
        Ok(Self { key: Arc::new(pair), validity })
    }

    /// Returns true if it is for all of these names (RFC 5280 section 4.2.1.6).
    pub(crate) fn covers(&self, domains: &[DomainName]) -> bool {
        let Some(own) = self.key.cert.first() else { return false };
        let Ok((_, own)) = X509Certificate::from_der(own) else { return false };
        let Ok(Some(names)) = own.subject_alternative_name() else { return false };
        let names = &names.value.general_names;
        domains.iter().all(|domain| names.contains(&GeneralName::DNSName(domain.as_str())))
    }

    /// Returns the end of its validity, in seconds since 1970.
    pub(crate) fn not_after(&self) -> usize {
        let since = self.validity.not_after.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs() as usize
    }
}

impl Validity {
    /// Reads the validity period of a certificate (RFC 5280 section 4.1.2.5).
    ///
    /// # Errors
    /// It is not a certificate.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, certificate) =
            X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
        let time = |time: x509_parser::time::ASN1Time| {
            UNIX_EPOCH + Duration::from_secs(time.timestamp().max(0).unsigned_abs())
        };
        let validity = certificate.validity();
        Ok(Self { not_before: time(validity.not_before), not_after: time(validity.not_after) })
    }

    /// Returns the time at which two thirds of the period are over.
    pub(crate) fn renewal_is_due(self) -> SystemTime {
        let lifetime = self.not_after.duration_since(self.not_before).unwrap_or_default();
        self.not_before + lifetime * 2 / 3
    }

    fn check(self, path: &Path, now: SystemTime) -> Result<(), CertificateError> {
        let path = path.to_owned();
        let Self { not_before, not_after } = self;
        if now > not_after {
            return Err(CertificateError::Expired { path, not_after });
        }
        if now < not_before {
            return Err(CertificateError::NotYetValid { path, not_before });
        }
        Ok(())
    }
}

fn no_pair(error: Error, certificate: &Path, key: &Path) -> CertificateError {
    let (certificate, key) = (certificate.to_owned(), key.to_owned());
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            CertificateError::Mismatch { certificate, key }
        }
        Error::InvalidCertificate(error) => {
            CertificateError::Damaged { path: certificate, reason: format!("{error:?}") }
        }
        error => CertificateError::UnusableKey { path: key, reason: error.to_string() },
    }
}

/// Reads at least one certificate from the file of the setting `what`.
pub(super) fn read_chain(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let refused = |error| refused(what, path, "certificate", error);
    let chain = CertificateDer::pem_file_iter(path).map_err(refused)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    if chain.is_empty() { Err(refused(pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| refused("tls.key", path, "key without a password", error))
}

fn refused(
    what: &'static str,
    path: &Path,
    wanted: &'static str,
    error: pem::Error,
) -> CertificateError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) => CertificateError::Unreadable { what, path, source },
        // The text may be a key, so it is not shown.
        _ => CertificateError::NotPem { what, path, wanted },
    }
}
