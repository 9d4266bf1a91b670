//! How this server speaks TLS.
//!
//! The cryptography is aws-lc-rs: on Linux it is built with a C compiler alone, its handshakes cost
//! three quarters of ring's, and it has the hybrid key exchange that outlives quantum computers.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::{CipherSuite, Error, ServerConfig};

use super::Certificates;
use super::acme::CHALLENGE_PROTOCOL;

/// The only protocol that is served (RFC 7301); WebSocket begins as it.
const HTTP: &[u8] = b"http/1.1";

/// TLS of a running server.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) certificates: Arc<Certificates>,
}

impl Tls {
    /// TLS 1.3 and 1.2, with these certificates, and perhaps answers for the authority that they
    /// are ordered from.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub(crate) fn new(
        certificates: Arc<Certificates>,
        answers_challenges: bool,
    ) -> Result<Self, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        config.ignore_client_order = true;
        // Sessions are resumed from tickets, which clients keep, under keys that change every six
        // hours: a reconnect storm needs no signatures, and the server no memory for it.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // A client has one connection, so it needs one ticket for the next.
        config.send_tls13_tickets = 1;
        config.alpn_protocols = vec![HTTP.to_vec()];
        if answers_challenges {
            config.alpn_protocols.push(CHALLENGE_PROTOCOL.to_vec());
        }
        Ok(Self { config: Arc::new(config), certificates })
    }
}

/// All that rustls holds safe, with AES-128 and SHA-256 first: most processors have instructions
/// for both, and a handshake with SHA-384 costs a third more. X25519MLKEM768 comes before X25519:
/// who called whom should not be read off a recording in twenty years. It costs a quarter more.
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
