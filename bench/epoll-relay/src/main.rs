//! The least that a WebSocket relay can do, as the limit to measure the server against.
//!
//! It refuses to do nearly everything that a signaling server is for: it parses no message, knows
//! no calls, no limits, no heartbeats and no counters. What is left is
//!
//! ```text
//! epoll_wait ─► read ─► unframe ─► index of the peer ─► frame ─► write
//! ```
//!
//! on one thread, with one write for all that one read brought. The first text of a client is its
//! id; each further one is `TO\nTEXT`, of which `TO` gets `TEXT`.
//!
//! It trusts its clients (the buffer for a slow one has no bound), so it listens on loopback.

mod connection;
mod outgoing;
mod relay;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};

use relay::Relay;

fn main() -> io::Result<()> {
    let port = match std::env::args().nth(1).map(|port| port.parse()) {
        None => 0,
        Some(Ok(port)) => port,
        Some(Err(_)) => return Err(io::Error::other("usage: securecall-epoll-relay [PORT]")),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "listening on ws://{address}/")?;
    Relay::new(listener)?.run()
}
