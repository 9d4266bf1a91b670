//! Which server, who, and whose keys are known.

use std::sync::Arc;

use securecall_seal::{DirectoryKey, Identity};

use crate::KnownKeys;

/// The settings of a client.
pub struct Settings {
    pub(crate) url: String,
    pub(crate) identity: Identity,
    pub(crate) known_keys: KnownKeys,
    pub(crate) unlisted: Option<Vec<DirectoryKey>>,
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
}

impl Settings {
    /// The server at this address (`wss://…/signal`, or `ws://…/signal` where nobody but the two
    /// machines is on the way), for this identity. Keys are known in memory until
    /// [`Settings::known_keys`] is set.
    pub fn new(url: impl Into<String>, identity: Identity) -> Self {
        let known_keys = KnownKeys::in_memory();
        Self { url: url.into(), identity, known_keys, unlisted: None, tls: None }
    }

    /// The keys that are known, at this server.
    #[must_use]
    pub fn known_keys(self, known_keys: KnownKeys) -> Self {
        Self { known_keys, ..self }
    }

    /// Publishes no key, and leaves nothing in the server's directory. Only those whose keys are
    /// given here can call this client, and with [`Client::call_with`](crate::Client::call_with)
    /// alone: they have got its key in another way.
    #[must_use]
    pub fn unlisted(self, callers: impl IntoIterator<Item = DirectoryKey>) -> Self {
        Self { unlisted: Some(callers.into_iter().collect()), ..self }
    }

    /// The TLS configuration, in place of the system's authorities: for a private authority, or a
    /// certificate of one's own.
    #[must_use]
    pub fn tls(self, tls: Arc<rustls::ClientConfig>) -> Self {
        Self { tls: Some(tls), ..self }
    }
}
