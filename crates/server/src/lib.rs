//! The SecureCall signaling server: the shell around the core.
//!
//! This crate decides nothing about calls. It reads bytes, passes them to the core, and carries out
//! the results. `driver` is the one place where a socket meets the core.
//!
//! ```text
//! serve ─► accept ─► http ─► driver ◄─► connection (outbox)
//! │
//! ▼
//! the crate `presence`: registry ─► cell (session) ─► another cell
//! ```

mod admission;
mod announcement;
mod check;
mod clock;
mod connection;
pub mod data_dir;
pub mod directory;
mod drain;
mod driver;
mod http;
pub mod operator;
mod presence;
mod reload;
mod serve;
mod server;
mod service_manager;
pub mod settings;
mod telemetry;
mod tls;

pub use announcement::reachable;
pub use check::check;
pub use serve::{ServeError, serve, serve_and_reload};
pub use tls::{CertificateError, TlsError};
