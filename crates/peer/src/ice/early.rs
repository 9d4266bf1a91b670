//! Datagrams that came before the path they came by was known to be one.
//!
//! The end that begins DTLS does so as soon as it has a path, when the other one may still wait for
//! the answer to its own check. That ClientHello must not be lost: it is repeated only after a
//! second.

use std::net::SocketAddr;

/// How many are kept. A ClientHello is one; the rest may be anybody's.
const KEPT_MAX: usize = 8;

/// A datagram: where it arrived, where it came from, and what it says.
pub(crate) type Datagram = (SocketAddr, SocketAddr, Vec<u8>);

/// The first that came too early.
#[derive(Default)]
pub(crate) struct EarlyDatagrams(Vec<Datagram>);

impl EarlyDatagrams {
    pub(crate) fn keep(&mut self, local: SocketAddr, from: SocketAddr, bytes: &[u8]) {
        if self.0.len() < KEPT_MAX {
            self.0.push((local, from, bytes.to_vec()));
        }
    }

    /// Gives all, in their order. Those that are still too early are to be kept again.
    pub(crate) fn take(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_make_it_grow() {
        let address = "127.0.0.1:9".parse().unwrap();
        let mut early = EarlyDatagrams::default();
        for _ in 0..100 {
            early.keep(address, address, &[22; 1500]);
        }
        assert_eq!(early.take().len(), KEPT_MAX);
        assert!(early.take().is_empty());
    }
}
