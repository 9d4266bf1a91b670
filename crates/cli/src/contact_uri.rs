//! What a QR code of an identity holds: `securecall:CLIENT_ID?fingerprint=DIGITS`.

pub(crate) const SCHEME: &str = "securecall:";
