//! TLS of a whole server, with clients that share none of its code: the buffered API of rustls,
//! other programs, and a certificate authority.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is all tests")]

mod acme;
mod authority;
mod certificates;
mod client;
mod handshake_rate;
mod programs;
mod server;
mod wss;
