//! TLS in the process (rustls).
//!
//! ```text
//! accept ─► TlsStream: handshake, HTTP head ─► Records, beside the outbox of the connection
//!
//! Source: files or ACME ─► Certificates ─► each new handshake
//! ```
//!
//! Certificates, keys and their use are only here. TLS does not authenticate clients.

mod acme;
mod certificate;
mod certificates;
mod config;
mod records;
mod reload;
mod source;
mod stream;

pub(crate) use certificate::Certificate;
pub use certificate::CertificateError;
pub(crate) use certificates::Certificates;
pub(crate) use config::Tls;
pub(crate) use records::{Incoming, PARTIAL_BYTES_MAX, Records};
pub(crate) use source::Source;
pub use source::TlsError;
pub(crate) use stream::{HandshakeError, TlsStream};
