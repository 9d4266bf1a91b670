//! The time that a message carries with it.
//!
//! The text of a message ends with a mark and sixteen hexadecimal digits: the time from which its
//! latency counts. A server relays it unseen, and may wrap the text as it likes, for the mark
//! occurs nowhere else in what signaling servers send.

use crate::clock::Nanos;

/// Starts a stamp. No JSON syntax, no base64 and no UUID has it.
const MARK: u8 = b'~';
const DIGITS: usize = 16;

/// The length of a stamp, in bytes.
pub(crate) const STAMP_BYTES: usize = 1 + DIGITS;

/// A stamp to be overwritten: its digits are zeros.
pub(crate) const BLANK: &str = "~0000000000000000";

/// The digits of `time`.
#[inline]
pub(crate) fn digits(time: Nanos) -> [u8; DIGITS] {
    let mut digits = [0; DIGITS];
    for (at, digit) in digits.iter_mut().enumerate() {
        let nibble = (time >> (4 * (DIGITS - 1 - at))) as u8 & 0xf;
        *digit = nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    }
    digits
}

/// The position of the digits of the last stamp in `text`.
#[inline]
pub(crate) fn find(text: &str) -> Option<usize> {
    let digits_at = memchr::memrchr(MARK, text.as_bytes())? + 1;
    (text.len() >= digits_at + DIGITS).then_some(digits_at)
}

/// Reads the last stamp in `text`. Returns `None` if it has no stamp.
#[inline]
pub(crate) fn read(text: &str) -> Option<Nanos> {
    let digits_at = find(text)?;
    let digits = &text.as_bytes()[digits_at..digits_at + DIGITS];
    digits.iter().try_fold(0, |time, digit| Some(time << 4 | u64::from(value(*digit)?)))
}

#[inline]
fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back_from_within_other_text() {
        for time in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            let digits = digits(time);
            let text = format!("a ~ before~{}\"}}}}", std::str::from_utf8(&digits).unwrap());
            assert_eq!(read(&text), Some(time));
        }
    }

    #[test]
    fn a_text_without_a_stamp_has_none() {
        for text in ["", "~", "~0123", "no mark 0000000000000000", "~000000000000000G"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(BLANK), Some(0));
    }
}
