//! The content of an identity's QR code: `securecall:CLIENT_ID?fingerprint=DIGITS`.

/// Begins each of them.
pub(crate) const SCHEME: &str = "securecall:";
