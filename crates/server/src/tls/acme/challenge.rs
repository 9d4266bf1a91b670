//! The proof that a name is ours: a certificate that only we could have made (RFC 8737 section 3).

use instant_acme::ChallengeHandle;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use super::AcmeError;
use crate::tls::config::provider;

/// The answer to a challenge: signed by itself, for the name alone, with the hash of the key
/// authorization in an extension.
///
/// # Errors
/// When no key can be made.
pub(super) fn answer(
    domain: &str,
    challenge: &ChallengeHandle<'_>,
) -> Result<CertifiedKey, AcmeError> {
    let digest = challenge.key_authorization().digest();
    let mut params = CertificateParams::new([domain.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = provider().key_provider.load_private_key(key)?;
    // Not checked against each other: the extension is critical, and means nothing to a check.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}
