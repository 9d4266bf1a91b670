//! TLS in the process (rustls).
//!
//! ```text
//! accept ─► TlsStream: handshake, HTTP head ─► Records, beside the outbox of the connection
//!
//! certificate files, ACME ─► Certificates ─► each new handshake
//! ```
//!
//! Keys and their use are here and nowhere else; who the client is TLS does not ask.

mod certificate;
mod certificates;
mod config;
mod records;
mod stream;

pub use certificate::CertificateError;
pub(crate) use certificate::Certificate;
pub(crate) use certificates::Certificates;
pub(crate) use config::Tls;
pub(crate) use records::{Incoming, PARTIAL_BYTES_MAX, Records};
pub(crate) use stream::{HandshakeError, TlsStream};
