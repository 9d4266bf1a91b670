//! TLS of a whole server, with clients that share none of its code: the buffered API of rustls,
//! other programs, and a certificate authority.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is all tests")]

mod acme;
mod authority;
mod certificates;
mod client;
mod handshake_rate;
mod programs;
mod wss;

use std::net::SocketAddr;

use securecall_server::settings::Settings;
use securecall_testkit::{Server, free_address};

/// Starts a server with the flags of a certificate, and others.
fn serve_with(flags: impl IntoIterator<Item = String>) -> Server {
    serve_at(free_address(), flags)
}

fn serve_at(address: SocketAddr, flags: impl IntoIterator<Item = String>) -> Server {
    let flags: Vec<_> = flags.into_iter().collect();
    Server::start_at(address, &flags.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Not a test by itself: the server of the other tests, in a process of its own.
#[test]
fn the_server_of_the_other_tests() {
    let Some(flags) = securecall_testkit::server_flags() else { return };
    securecall_server::serve(Settings::from_flags(flags).unwrap()).unwrap();
}
