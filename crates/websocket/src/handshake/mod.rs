//! The opening handshake (RFC 6455, section 4), in HTTP/1.1 (RFC 9112).
//!
//! ```text
//! client                                   server
//!   │ GET /signal HTTP/1.1                   │
//!   │ Upgrade: websocket, Sec-WebSocket-Key  │
//!   ├───────────────────────────────────────►│ parse_request, Request::upgrade
//!   │ 101, Sec-WebSocket-Accept              │
//!   │◄───────────────────────────────────────┤ write_switching_protocols
//!   │ parse_response                         │
//! ```
//!
//! The key proves only that the server understood the handshake; it is no secret.

mod accept;
mod client;
mod head;
mod refusal;
mod server;

pub use accept::{Nonce, UpgradeKey, accept_key};
pub use client::{ResponseError, UnsafeHeader, parse_response, write_request};
pub use head::HeadLimits;
pub use refusal::RequestError;
pub use server::{Request, parse_request, write_switching_protocols};
