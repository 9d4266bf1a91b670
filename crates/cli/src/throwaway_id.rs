//! Client ids for temporary clients.

use rand::RngExt as _;

/// Generates an id that no client uses: `PURPOSE-` and 32 hexadecimal digits.
pub(crate) fn throwaway_id(purpose: &str) -> String {
    format!("{purpose}-{:032x}", rand::rng().random::<u128>())
}
