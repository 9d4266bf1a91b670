//! Readiness: the reasons to send new clients elsewhere.

use std::time::SystemTime;

use crate::server::Server;

/// A reason why the server is not ready. Open connections are not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unready {
    /// The server is draining: new connections get 503.
    Draining,
    /// The server has its maximum of connections: new ones get 503.
    ServerFull,
    /// The directory failed within the last minute, or its disk does not answer: requests for keys
    /// get `UNAVAILABLE`, calls are not affected.
    DirectoryFailing,
    /// There is no certificate yet, or it has expired: handshakes fail.
    NoCertificate,
}

impl Unready {
    pub(crate) const ALL: [Self; 4] =
        [Self::Draining, Self::ServerFull, Self::DirectoryFailing, Self::NoCertificate];

    /// Returns the name in metrics and responses.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::ServerFull => "server_full",
            Self::DirectoryFailing => "directory_failing",
            Self::NoCertificate => "no_certificate",
        }
    }

    /// Returns true while this reason applies.
    pub(crate) fn holds(self, server: &Server) -> bool {
        match self {
            Self::Draining => server.is_draining(),
            Self::ServerFull => {
                let admission = server.admission.lock();
                admission.connections() >= admission.connections_max()
            }
            Self::DirectoryFailing => server.directory.is_failing(),
            Self::NoCertificate => {
                let Some(tls) = &server.tls else { return false };
                let current = tls.certificates.current();
                current.is_none_or(|shown| SystemTime::now() > shown.validity.not_after)
            }
        }
    }

    /// Returns all reasons that apply now.
    pub(crate) fn reasons(server: &Server) -> Vec<Self> {
        Self::ALL.into_iter().filter(|why| why.holds(server)).collect()
    }
}
