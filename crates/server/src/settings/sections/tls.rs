//! `[tls]` and `[acme]`: the certificate for clients. With neither, connections are plain.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::settings::layers::Layers;
use crate::settings::{
    AcmeContact, AcmeDirectory, DomainName, List, Settings, SettingsError, defaults,
};

/// A certificate in files.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Tls {
    /// File with the certificate chain (PEM), the server's own first; read again when it changes
    // `None`: connections are plain, unless ACME provides a certificate.
    #[arg(id = "tls.certificate", long = "tls-certificate", value_name = "FILE")]
    pub certificate: Option<PathBuf>,

    /// File with its private key (PEM)
    // `None` if and only if `certificate` is `None`.
    #[arg(id = "tls.key", long = "tls-key", value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// Automatic certificates from a certificate authority (RFC 8555 and RFC 8737).
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Acme {
    /// Names of this server to order certificates for; port 443 of each must lead here
    #[arg(id = "acme.domains", long = "acme-domains", value_name = "DOMAIN,...")]
    #[arg(default_value_t, hide_default_value = true)]
    pub domains: List<DomainName>,

    /// Mail address for messages of the authority about the certificates
    // `None`: the authority gets no address.
    #[arg(id = "acme.contact", long = "acme-contact", value_name = "EMAIL")]
    pub contact: Option<AcmeContact>,

    /// URL of the certificate authority
    #[arg(id = "acme.directory", long = "acme-directory", value_name = "URL")]
    #[arg(default_value = defaults::ACME_DIRECTORY)]
    pub directory: AcmeDirectory,

    /// File with the certificate (PEM) of a private authority
    // `None`: the certificates that the operating system trusts.
    #[arg(id = "acme.ca", long = "acme-ca", value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// Refuses incomplete settings, and certificates from both sources.
pub(crate) fn check(settings: &Settings, layers: &Layers<'_>) -> Result<(), SettingsError> {
    let Settings { tls, acme, .. } = settings;
    let has_domains = !acme.domains.is_empty();
    for (setting, other, alone) in [
        ("tls.certificate", "tls.key", tls.certificate.is_some() && tls.key.is_none()),
        ("tls.key", "tls.certificate", tls.key.is_some() && tls.certificate.is_none()),
        ("acme.contact", "acme.domains", acme.contact.is_some() && !has_domains),
        ("acme.ca", "acme.domains", acme.ca.is_some() && !has_domains),
    ] {
        if alone {
            return Err(SettingsError::Alone { setting: layers.named(setting), other });
        }
    }
    if has_domains && let Some(certificate) = &tls.certificate {
        return Err(SettingsError::Contradiction {
            left: layers.described("tls.certificate", &certificate.display()),
            relation: "set without",
            right: layers.described("acme.domains", &acme.domains),
        });
    }
    Ok(())
}

/// Returns warnings about the files. Unusable files are refused when they are read.
pub(crate) fn warnings(tls: &Tls) -> impl Iterator<Item = String> {
    key_of_all(tls).into_iter().chain(certificate_of_authority(tls))
}

/// Warns if the certificate may sign others: some clients accept it, and some do not.
fn certificate_of_authority(tls: &Tls) -> Option<String> {
    let path = tls.certificate.as_ref()?;
    let own = CertificateDer::from_pem_file(path).ok()?;
    let (_, own) = X509Certificate::from_der(&own).ok()?;
    let is_authority = own.basic_constraints().ok()??.value.ca;
    let path = path.display();
    is_authority.then(|| {
        format!(
            "tls.certificate {path} is the certificate of an authority (CA:TRUE), which some \
             clients do not accept as a server's own: use one with CA:FALSE"
        )
    })
}

/// Warns if others than the owner may read the key. It is not an error, because container runtimes
/// often mount keys like that.
fn key_of_all(tls: &Tls) -> Option<String> {
    let path = tls.key.as_ref()?;
    // A file that cannot be accessed is refused when it is read.
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let path = path.display();
    (mode & 0o044 != 0).then(|| {
        format!(
            "tls.key {path} is readable by others: run chmod 600 on \
                                         it"
        )
    })
}
