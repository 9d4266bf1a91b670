//! Why there is no connection, from the errors of TCP, TLS and HTTP.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use crate::Disconnect;

impl Disconnect {
    /// The cause beneath the error of a connection that did not come about: whoever makes one on
    /// top of rustls reports the same as a client here.
    #[must_use]
    pub fn beneath(error: &(dyn Error + 'static)) -> Self {
        let mut error = error;
        loop {
            if let Some(error) = error.downcast_ref() {
                return of_tls(error);
            }
            // What an io::Error wraps is not its source, but that of which it is the source.
            let wrapped = error.downcast_ref().and_then(io::Error::get_ref);
            error = match wrapped {
                Some(wrapped) => wrapped,
                None => match error.source() {
                    Some(source) => source,
                    None => return Self::Network(error.to_string()),
                },
            };
        }
    }

    /// The cause in an HTTP answer to a connection without TLS, if the answer is that the port
    /// speaks TLS: ours, nginx, Apache, Go.
    #[must_use]
    pub fn from_answer(body: &[u8]) -> Option<Self> {
        let body = String::from_utf8_lossy(body);
        let said =
            ["This port speaks TLS", "HTTPS port", "SSL-enabled server port", "HTTPS server"];
        said.iter().any(|words| body.contains(words)).then_some(Self::TlsPort)
    }
}

fn of_tls(error: &rustls::Error) -> Disconnect {
    match error {
        rustls::Error::InvalidMessage(_) => Disconnect::NoTls,
        rustls::Error::InvalidCertificate(why) => of_certificate(why),
        error => Disconnect::Network(error.to_string()),
    }
}

/// In words for people: the text of rustls has bytes in it.
fn of_certificate(why: &CertificateError) -> Disconnect {
    use CertificateError as Error;
    // The verifier of each platform has a type of its own for it.
    if format!("{why:?}").contains("CaUsedAsEndEntity") {
        return Disconnect::AuthorityCertificate;
    }
    Disconnect::Untrusted(match why {
        Error::Expired | Error::ExpiredContext { .. } => "it has expired",
        Error::NotValidYet | Error::NotValidYetContext { .. } => {
            "it is not valid yet; is the clock of this machine right?"
        }
        Error::NotValidForName | Error::NotValidForNameContext { .. } => {
            "it is for another name; is the one in the address right?"
        }
        Error::UnknownIssuer => {
            "no authority that this machine trusts has signed it, or the chain is not whole"
        }
        Error::Revoked => "it is revoked",
        _ => "is the name right, and the chain whole?",
    })
}

#[cfg(test)]
mod tests {
    use rustls::{InvalidMessage, OtherError};

    use super::*;

    fn beneath(error: rustls::Error) -> Disconnect {
        // As hyper has it: one in the other.
        Disconnect::beneath(&io::Error::other(io::Error::other(error)))
    }

    #[test]
    fn a_certificate_is_refused_in_words_for_people() {
        let unsupported = CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![6, 8],
            public_key_algorithm_id: vec![6, 7],
        };
        for (why, says) in [
            (CertificateError::Expired, "it has expired"),
            (CertificateError::NotValidYet, "it is not valid yet"),
            (CertificateError::NotValidForName, "it is for another name"),
            (CertificateError::UnknownIssuer, "no authority that this machine trusts"),
            (CertificateError::Revoked, "it is revoked"),
            (unsupported, "is the name right, and the chain whole?"),
        ] {
            let said = beneath(rustls::Error::InvalidCertificate(why)).to_string();
            let sentence = format!("this machine does not trust the certificate: {says}");
            assert!(said.starts_with(&sentence), "{said}");
            assert!(!said.contains(['{', '[']), "{said}");
        }
    }

    #[test]
    fn the_certificate_of_an_authority_and_a_port_without_tls_are_recognised() {
        #[derive(Debug, thiserror::Error)]
        #[error("")]
        struct CaUsedAsEndEntity;
        let why = CertificateError::Other(OtherError(std::sync::Arc::new(CaUsedAsEndEntity)));
        let cause = beneath(rustls::Error::InvalidCertificate(why));
        assert_eq!(cause, Disconnect::AuthorityCertificate);
        let cause = beneath(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType));
        assert_eq!(cause, Disconnect::NoTls);
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(Disconnect::beneath(&refused), Disconnect::Network(refused.to_string()));
    }
}
