//! Ports for servers that tests start.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// The system hands out ports from 32768 on, to every connection that a test opens. A port from below stays free
/// between the moment a test chooses it and the moment its server listens, and while that server is down.
const FIRST: u32 = 12_000;
const COUNT: u32 = 20_000;

static CHOSEN: AtomicU32 = AtomicU32::new(0);

/// Returns a loopback port that nobody uses, for TCP and UDP, and that no other call in this process returns.
///
/// # Panics
///
/// If all of them are in use.
#[must_use]
pub fn free_port() -> u16 {
    (0..COUNT)
        .map(|_| next())
        .find(|&port| is_free(port))
        .unwrap_or_else(|| panic!("every port is in use"))
}

/// [`free_port`] at 127.0.0.1.
///
/// # Panics
///
/// If all of them are in use.
#[must_use]
pub fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

/// Processes that run side by side begin far from each other.
fn next() -> u16 {
    let start = process::id().wrapping_mul(97);
    let offset = start.wrapping_add(CHOSEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
    u16::try_from(FIRST + offset).unwrap_or(u16::MAX)
}

fn is_free(port: u16) -> bool {
    let address = (Ipv4Addr::LOCALHOST, port);
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_port_is_returned_twice_nor_one_in_use() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).unwrap();
        let ports: HashSet<_> = (0..COUNT / 2).map(|_| free_port()).collect();
        assert_eq!(ports.len(), COUNT as usize / 2);
        assert!(!ports.contains(&taken.local_addr().unwrap().port()));
        assert!(ports.iter().all(|&port| port < 32_768), "none that the system hands out");
    }
}
