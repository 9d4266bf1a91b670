//! Section 3: reserved bits without an extension.

use crate::case::{fails, pong_back, text_back};
use crate::frame::{Frame, binary, close_with, ping, text};

fn fails_after_a_message(case: &str, frame: Frame) {
    let frames = [text("Hello, world!"), frame, ping("")];
    fails(case, &frames, &[text_back("Hello, world!")], 1002);
}

#[test]
fn a_reserved_bit_in_a_text_frame_fails_the_connection() {
    fails("3.1", &[text("Hello, world!").reserved(1)], &[], 1002);
    fails_after_a_message("3.2", text("Hello, world!").reserved(2));
    fails_after_a_message("3.3", text("Hello, world!").reserved(3));
    fails_after_a_message("3.4", text("Hello, world!").reserved(4));
}

#[test]
fn a_reserved_bit_in_any_kind_of_frame_fails_the_connection() {
    fails("3.5", &[binary([0, 255, 254, 253, 252, 251, 0, 255]).reserved(5)], &[], 1002);
    fails("3.6", &[ping("Hello, world!").reserved(6)], &[], 1002);
    fails("3.7", &[close_with(1000, "").reserved(7)], &[], 1002);
}

#[test]
fn each_reserved_bit_alone_is_refused_after_a_ping() {
    for bit in [1, 2, 4] {
        let frames = [ping("a"), ping("b").reserved(bit)];
        fails("each bit", &frames, &[pong_back("a")], 1002);
    }
}
