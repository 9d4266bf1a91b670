//! Section 1: text and binary messages of every kind of length.

use crate::case::{answers, binary_back, text_back};
use crate::frame::{binary, text};

const LENGTHS: [usize; 8] = [0, 125, 126, 127, 128, 65_535, 65_536, 65_536];

#[test]
fn text_messages_of_every_length_form_come_back() {
    for (i, len) in LENGTHS.into_iter().enumerate() {
        let payload = "*".repeat(len);
        answers(&format!("1.1.{}", i + 1), &[text(&payload)], &[text_back(&payload)]);
    }
}

#[test]
fn binary_messages_of_every_length_form_come_back() {
    for (i, len) in LENGTHS.into_iter().enumerate() {
        let payload = vec![0xfe; len];
        answers(&format!("1.2.{}", i + 1), &[binary(&payload)], &[binary_back(&payload)]);
    }
}
