//! A whole server without TLS, and what it relays. The WebSocket client is tungstenite, which shares no code with
//! the server.
//!
//! `tests/interop` has the same and much more with clients in other languages; these run with `cargo test` alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is all tests")]

mod calls;
mod client;
mod directory;
mod limits;
mod registration;
mod resumption;
#[path = "../rig/mod.rs"]
mod rig;
mod turn;
