//! The certificate that new handshakes show, exchanged while the server runs.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::Certificate;

/// What handshakes show. A handshake that began keeps what it has.
#[derive(Default)]
pub(crate) struct Certificates {
    /// None: there is none yet, and handshakes fail.
    current: RwLock<Option<Certificate>>,
}

impl Certificates {
    pub(crate) fn replace(&self, certificate: Certificate) {
        *self.current.write() = Some(certificate);
    }

    pub(crate) fn current(&self) -> Option<Certificate> {
        self.current.read().clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.read().as_ref().map(|certificate| certificate.key.clone())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}
