//! How this server speaks TLS.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::{Error, ServerConfig};

use super::Certificates;

/// TLS of a running server.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) certificates: Arc<Certificates>,
}

impl Tls {
    /// TLS that shows these certificates.
    ///
    /// # Errors
    /// When the provider has nothing to offer, or no random numbers.
    pub(crate) fn new(certificates: Arc<Certificates>) -> Result<Self, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        // Sessions are resumed from tickets, which clients keep, under keys that change every six
        // hours: a reconnect storm needs no signatures, and the server no memory for it.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // A client has one connection, so it needs one ticket for the next.
        config.send_tls13_tickets = 1;
        config.alpn_protocols = vec![HTTP.to_vec()];
        Ok(Self { config: Arc::new(config), certificates })
    }
}

/// The only protocol that is served (RFC 7301); WebSocket begins as it.
const HTTP: &[u8] = b"http/1.1";

/// The cryptography: aws-lc-rs.
pub(crate) fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}
