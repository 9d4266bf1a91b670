//! Ids of clients that are there for a moment.

use rand::RngExt as _;

/// An id that nobody has, and nobody will want: `PURPOSE-` and 32 hexadecimal digits.
pub(crate) fn throwaway_id(purpose: &str) -> String {
    format!("{purpose}-{:032x}", rand::rng().random::<u128>())
}
