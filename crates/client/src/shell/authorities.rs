//! The authorities whose certificates are taken: those of the system, and an operator's own.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::ConnectError;

/// The variable that names a file of authorities to replace the system's, on systems without a
/// service for certificates.
const VARIABLE: &str = "SSL_CERT_FILE";

/// TLS that trusts the system's authorities, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name:
/// what connections are made with that are given nothing else.
///
/// # Errors
/// `SSL_CERT_FILE` names a file of no use, or the system has no authorities.
pub fn system_authorities() -> Result<ClientConfig, ConnectError> {
    let heeds_file = cfg!(all(unix, not(target_vendor = "apple"), not(target_os = "android")));
    if let Some(file) = std::env::var_os(VARIABLE).filter(|file| heeds_file && !file.is_empty()) {
        check(Path::new(&file)).map_err(ConnectError::Authorities)?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ConnectError::Tls)?;
    let config = builder.with_platform_verifier().map_err(|error| match error {
        rustls::Error::General(why) if why.contains("No CA certificates") => {
            ConnectError::Authorities(NONE.to_owned())
        }
        error => ConnectError::Tls(error),
    })?;
    Ok(config.with_no_client_auth())
}

const NONE: &str = "this machine has no certificate authorities: install ca-certificates, or name a \
                    file with SSL_CERT_FILE";

/// Refuses a file without a certificate, which would otherwise be passed over.
fn check(file: &Path) -> Result<(), String> {
    let mut certificates = CertificateDer::pem_file_iter(file)
        .map_err(|error| unusable(file, &error))?
        .filter_map(Result::ok);
    match certificates.next() {
        Some(_) => Ok(()),
        None => Err(unusable(file, &PemError::NoItemsFound)),
    }
}

fn unusable(file: &Path, error: &PemError) -> String {
    let file = file.display();
    match error {
        PemError::Io(error) => format!("{VARIABLE} {file}: cannot be read: {error}"),
        _ => format!("{VARIABLE} {file}: has no certificate"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_no_use_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let said = check(&folder.path().join("none.pem")).unwrap_err();
        assert!(said.contains("none.pem: cannot be read: No such file"), "{said}");
        assert!(check(folder.path()).unwrap_err().starts_with("SSL_CERT_FILE "));
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing").unwrap();
        assert!(check(&empty).unwrap_err().ends_with("empty.pem: has no certificate"));
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&empty, certified.cert.pem()).unwrap();
        assert_eq!(check(&empty), Ok(()));
    }
}
