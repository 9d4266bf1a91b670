//! Section 9: large messages, and many.

use crate::case::{Answer, answers, binary_back, text_back};
use crate::frame::{Frame, binary, fragments, text};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const SIZES: [usize; 6] = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];

/// Multibyte text, so that cuts fall inside characters.
fn prose(len: usize) -> Vec<u8> {
    let words = "κόσμε ";
    let mut prose = words.repeat(len / words.len()).into_bytes();
    prose.resize(len, b'*');
    prose
}

#[test]
fn large_text_messages_come_back() {
    for size in SIZES {
        let payload = prose(size);
        answers("9.1", &[text(&payload)], &[text_back(&payload)]);
    }
}

#[test]
fn large_binary_messages_come_back() {
    for size in SIZES {
        let payload = vec![0xfe; size];
        answers("9.2", &[binary(&payload)], &[binary_back(&payload)]);
    }
}

#[test]
fn a_large_message_in_fragments_of_any_size_comes_back() {
    let payload = prose(4 * MIB);
    for fragment_bytes in [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB] {
        let pieces = payload.chunks(fragment_bytes);
        answers("9.3", &fragments(1, pieces.clone()), &[text_back(&payload)]);
        answers("9.4", &fragments(2, pieces), &[binary_back(&payload)]);
    }
}

#[test]
fn a_large_message_in_reads_of_any_size_comes_back() {
    // The reads of 64 to 4096 bytes, cases 9.5 and 9.6, are in every case here.
    let payload = prose(MIB);
    answers("9.5", &[text(&payload)], &[text_back(&payload)]);
    answers("9.6", &[binary(&payload)], &[binary_back(&payload)]);
}

#[test]
fn a_thousand_messages_in_a_row_come_back() {
    for size in [0, 16, 64, 256, KIB, 4 * KIB] {
        let payload = prose(size);
        let texts: (Vec<Frame>, Vec<Answer>) =
            (0..1000).map(|_| (text(&payload), text_back(&payload))).unzip();
        answers("9.7", &texts.0, &texts.1);
        let binaries: (Vec<Frame>, Vec<Answer>) =
            (0..1000).map(|_| (binary(&payload), binary_back(&payload))).unzip();
        answers("9.8", &binaries.0, &binaries.1);
    }
}
