//! Section 10: a sender that fragments by itself.

use crate::case::{answers, text_back};
use crate::frame::fragments;

#[test]
fn a_message_cut_into_fragments_of_1300_bytes_comes_back() {
    let payload = vec![b'*'; 65_536];
    answers("10.1.1", &fragments(1, payload.chunks(1300)), &[text_back(&payload)]);
}
