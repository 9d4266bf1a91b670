//! The proof that we control a name: a certificate that only we could have made (RFC 8737 section
//! 3).

use instant_acme::ChallengeHandle;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use super::AcmeError;
use crate::tls::config::provider;

/// Returns the answer to a challenge: a self-signed certificate for the name, with the hash of the
/// key authorization in an extension.
///
/// # Errors
/// No key can be generated.
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
    // Not checked for consistency: the check does not know the critical extension.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}
