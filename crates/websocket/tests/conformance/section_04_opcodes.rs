//! Section 4: reserved opcodes.

use crate::case::{fails, text_back};
use crate::frame::{frame, ping, text};

#[test]
fn a_reserved_data_opcode_fails_the_connection() {
    for opcode in 3..=7 {
        fails_with_opcode("4.1", opcode);
    }
}

#[test]
fn a_reserved_control_opcode_fails_the_connection() {
    for opcode in 11..=15 {
        fails_with_opcode("4.2", opcode);
    }
}

fn fails_with_opcode(section: &str, opcode: u8) {
    let case = format!("{section}, opcode {opcode}");
    fails(&case, &[frame(opcode, "")], &[], 1002);
    fails(&case, &[frame(opcode, "reserved opcode payload")], &[], 1002);
    let frames = [text("Hello, world!"), frame(opcode, "payload"), ping("")];
    fails(&case, &frames, &[text_back("Hello, world!")], 1002);
}
