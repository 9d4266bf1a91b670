//! Where in a chain a link stands.

/// The place of a link, and its hash: all that has to be kept of a chain to notice every change.
///
/// A client keeps the position of each contact's newest link; proofs and bundles name one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Counts the operator's resets: 0 in a chain that was never reset.
    pub epoch: u32,
    /// Counts the links of the epoch, from 0.
    pub sequence: u8,
    /// The hash of the link without its signatures.
    pub hash: [u8; 32],
}
