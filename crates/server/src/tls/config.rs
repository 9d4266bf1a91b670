//! The TLS configuration.
//!
//! The cryptography is aws-lc-rs: on Linux it needs only a C compiler, its handshakes cost three
//! quarters of ring's, and it has the post-quantum hybrid key exchange.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::{CipherSuite, Error, ServerConfig};

use super::Certificates;
use super::acme::CHALLENGE_PROTOCOL;

/// The only application protocol (RFC 7301). WebSocket begins as HTTP/1.1.
const HTTP: &[u8] = b"http/1.1";

/// The TLS state of a running server.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) certificates: Arc<Certificates>,
}

impl Tls {
    /// Creates the configuration for TLS 1.3 and 1.2 with these certificates. With ACME it also
    /// answers the challenges of the authority.
    ///
    /// # Errors
    /// There are no random numbers.
    pub(crate) fn new(
        certificates: Arc<Certificates>,
        answers_challenges: bool,
    ) -> Result<Self, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        config.ignore_client_order = true;
        // Sessions are resumed with tickets, which clients store, under keys that change every six
        // hours: a reconnect storm needs no signatures, and the server no memory for it.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // A client has one connection, so it needs one ticket for the next one.
        config.send_tls13_tickets = 1;
        config.alpn_protocols = vec![HTTP.to_vec()];
        if answers_challenges {
            config.alpn_protocols.push(CHALLENGE_PROTOCOL.to_vec());
        }
        Ok(Self { config: Arc::new(config), certificates })
    }
}

/// Returns everything that rustls considers safe, with AES-128 and SHA-256 first: most processors
/// have instructions for both, and a handshake with SHA-384 costs a third more. X25519MLKEM768
/// comes before X25519, at a quarter more, so that a recording does not reveal the parties of a
/// call in twenty years.
pub(crate) fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| !is_aes_128(suite.suite()));
    provider
}

fn is_aes_128(suite: CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    )
}

#[cfg(test)]
mod tests {
    use rustls::NamedGroup;

    use super::*;

    #[test]
    fn the_cheapest_suite_and_the_lasting_key_exchange_come_first() {
        let provider = provider();
        let suite = |versions: &str| {
            let of_version = provider.cipher_suites.iter().map(|suite| suite.suite());
            of_version.map(|suite| format!("{suite:?}")).find(|name| name.starts_with(versions))
        };
        assert_eq!(suite("TLS13").as_deref(), Some("TLS13_AES_128_GCM_SHA256"));
        assert_eq!(suite("TLS_").as_deref(), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
        assert_eq!(provider.kx_groups[0].name(), NamedGroup::X25519MLKEM768);
    }
}
