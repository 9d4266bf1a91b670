//! TLS of a whole server, with clients of another kind than its own code: the buffered half of
//! rustls, programs, and a certificate authority.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is all tests")]

mod acme;
mod authority;
mod certificates;
mod client;
mod handshake_rate;
mod programs;
mod server;
mod wss;
