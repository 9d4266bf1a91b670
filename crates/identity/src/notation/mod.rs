//! The notation that the formats of identities and of sealing share: bytes taken apart, labelled
//! digests, and digests as people compare them.

mod cursor;
mod digest;
mod digits;

pub use cursor::Cursor;
pub use digest::{Digest, digest};
pub use digits::write_digits;
