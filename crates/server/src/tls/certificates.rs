//! The certificate for new handshakes, which can be exchanged while the server runs.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::Certificate;
use super::acme::CHALLENGE_PROTOCOL;

/// The certificates for handshakes. A handshake in progress keeps its own.
#[derive(Default)]
pub(crate) struct Certificates {
    /// `None` until there is a certificate; handshakes fail until then.
    current: RwLock<Option<Certificate>>,
    /// The answers for a certificate authority that verifies a name (RFC 8737).
    challenges: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    pub(crate) fn replace(&self, certificate: Certificate) {
        *self.current.write() = Some(certificate);
    }

    pub(crate) fn current(&self) -> Option<Certificate> {
        self.current.read().clone()
    }

    pub(super) fn answer_challenge(&self, domain: &str, answer: CertifiedKey) {
        self.challenges.write().insert(domain.to_owned(), Arc::new(answer));
    }

    pub(super) fn forget_challenges(&self) {
        self.challenges.write().clear();
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if is_challenge(&hello) {
            return self.challenges.read().get(hello.server_name()?).cloned();
        }
        self.current.read().as_ref().map(|certificate| certificate.key.clone())
    }
}

/// Returns true for a handshake of an authority, which offers only this protocol (RFC 8737 section
/// 3).
fn is_challenge(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_some_and(|mut offered| offered.next() == Some(CHALLENGE_PROTOCOL))
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}
