//! The position of a link in a chain.

/// The place of a link, and its hash: enough to notice every change of the chain up to there.
///
/// A client stores the position of each contact's newest link; proofs and bundles name one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Counts the operator's resets: 0 in a chain that was never reset.
    pub epoch: u32,
    /// Counts the links of the epoch, from 0.
    pub sequence: u8,
    /// The hash of the link without its signatures.
    pub hash: [u8; 32],
}
