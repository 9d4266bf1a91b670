//! Bytes as text: base64url without padding (RFC 4648 section 5), one text for one sequence of bytes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::Refusal;

/// The text of these bytes.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Refuses another alphabet, padding, and a last character whose unused bits are not zero.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::TextNotBase64Url)
}

/// As [`decode`], of a text that is not longer than `bytes_max` bytes need.
pub(crate) fn decode_bounded(text: &str, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    // Before anything is allocated for it.
    if text.len() > (bytes_max * 4).div_ceil(3) {
        return Err(Refusal::TextTooLong);
    }
    decode(text)
}
