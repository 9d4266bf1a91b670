//! Bytes as text: base64url without padding (RFC 4648 section 5), one text for one sequence of
//! bytes. Its alphabet needs no escape in JSON, so it passes a relay as it is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url. Returns `None` for another alphabet, padding, or excess bits that are not
/// zero.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_text_for_the_same_bytes_is_refused() {
        assert_eq!(decode("_w"), Some(vec![255]));
        for other in ["_x", "_w==", "/w", "_w\n", " _w", "_"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}
