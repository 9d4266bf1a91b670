//! Datagrams that came before the path they came by was known to be one.
//!
//! The end that begins DTLS does so as soon as it has a path, when the other one may still lack the
//! answer to its own check. That ClientHello must not be lost: it is repeated only after a second.

use std::net::SocketAddr;

/// The bound of held datagrams. A ClientHello is one; the rest may come from strangers.
const KEPT_MAX: usize = 8;

/// A datagram: our address, the sender's address, and its bytes.
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

    /// Takes all datagrams, in their order. The caller puts back those that are still too early.
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
