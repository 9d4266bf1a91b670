//! The notation that the formats of identities and of sealing share: bytes taken apart, labelled
//! digests, digests as people compare them, and bytes as text.

mod cursor;
mod digest;
mod digits;

pub use crate::armor::encode as base64url;
pub use cursor::Cursor;
pub use digest::{Digest, digest};
pub use digits::write_digits;
