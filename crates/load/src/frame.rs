//! Messages that are encoded once and sent many times.

use securecall_websocket::{MaskKey, write_masked_text};

use crate::clock::Nanos;
use crate::stamp;

/// The mask of all our frames. RFC 6455 section 10.3 wants unpredictable ones, to protect caches
/// of strangers from what a page makes a browser send; we send to a server of our own what we made
/// up ourselves. It is not zero, because some servers skip unmasking then.
pub(crate) const MASK: MaskKey = *b"SCLD";

/// A masked frame with a text that has a stamp in it.
#[derive(Clone, Debug)]
pub(crate) struct StampedFrame {
    bytes: Box<[u8]>,
    digits_at: usize,
    /// Which byte of the mask meets the first digit.
    mask_phase: usize,
}

impl StampedFrame {
    /// Encodes `text`. Returns `None` if it has no stamp to overwrite.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text_at = stamp::find(text)?;
        let mut bytes = Vec::new();
        write_masked_text(&mut bytes, text, MASK);
        let digits_at = bytes.len() - text.len() + text_at;
        Some(Self { bytes: bytes.into(), digits_at, mask_phase: text_at % MASK.len() })
    }

    /// Appends the frame, stamped with `time`.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>, time: Nanos) {
        let digits_at = out.len() + self.digits_at;
        out.extend_from_slice(&self.bytes);
        let mask = MASK.iter().cycle().skip(self.mask_phase);
        for ((byte, digit), key) in out[digits_at..].iter_mut().zip(stamp::digits(time)).zip(mask) {
            *byte = digit ^ key;
        }
    }
}

#[cfg(test)]
mod tests {
    use securecall_websocket::{Decoder, Event, Role};

    use super::*;

    #[test]
    fn every_frame_carries_its_own_time() {
        for prefix in [
            "",
            "a",
            "ab",
            "abc",
            "a text that makes the frame longer than 125 bytes: \
            0123456789012345678901234567890123456789012345678901234567890123456789012345678901",
        ] {
            let frame = StampedFrame::new(&format!("{prefix}{}\"}}", stamp::BLANK)).unwrap();
            let mut bytes = Vec::new();
            frame.write(&mut bytes, 7);
            frame.write(&mut bytes, 0xfedc_ba98_7654_3210);
            let mut input = bytes.as_mut_slice();
            let mut decoder = Decoder::new(Role::Server, 1000);
            for time in ["0000000000000007", "fedcba9876543210"] {
                let Some(Event::Text(text)) = decoder.next(&mut input).unwrap() else {
                    unreachable!("a text was written")
                };
                assert_eq!(text, format!("{prefix}~{time}\"}}"));
            }
        }
    }
}
