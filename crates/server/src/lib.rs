//! The SecureCall signaling server: the shell around the core.
//!
//! This crate decides nothing about calls. It reads bytes, hands them to the core, and carries out
//! what comes back; see `driver` for the one place where a socket meets the core.
//!
//! ```text
//! serve ─► accept ─► http ─► driver ◄─► connection (outbox)
//!                               │
//!                               ▼
//!         the crate `presence`: registry ─► cell (session) ─► another cell
//! ```

mod accept;
mod admin;
mod announcement;
mod arrival;
mod check;
mod client_address;
mod clock;
mod connection;
mod counters;
mod current;
pub mod data_dir;
pub mod directory;
mod directory_queue;
mod drain;
mod driver;
mod flusher;
mod http;
mod listener;
mod live;
mod liveness;
mod log_limit;
mod metrics;
pub mod operator;
mod outbox;
mod pending;
mod permit;
mod presence;
mod proxy_protocol;
mod read_buffer;
mod readiness;
mod refused;
mod reload;
mod requests;
mod serve;
mod server;
mod service_manager;
pub mod settings;
mod stream;
mod tls;

pub use announcement::reachable;
pub use check::check;
pub use serve::{ServeError, serve, serve_and_reload};
pub use tls::{CertificateError, TlsError};
