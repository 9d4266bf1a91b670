//! Section 7: the closing handshake.

use crate::case::{Answer, binary_back, ends, fails, text_back};
use crate::frame::{close, close_with, continuation, ping, text};

const CLOSED: [Answer; 1] = [Answer::Close(Some(1000))];

#[test]
fn a_close_is_answered_after_the_messages_before_it() {
    let frames = [text("Hello World!"), close_with(1000, "")];
    ends("7.1.1", &frames, &[text_back("Hello World!"), Answer::Close(Some(1000))]);
}

#[test]
fn nothing_after_a_close_is_answered() {
    let after = [close_with(1000, ""), ping(""), text("Hello World!")];
    for (i, frame) in after.into_iter().enumerate() {
        ends(&format!("7.1.{}", i + 2), &[close_with(1000, ""), frame], &CLOSED);
    }
}

#[test]
fn a_close_between_fragments_ends_the_message_too() {
    let frames = [text("fragment1").not_final(), close_with(1000, ""), continuation("fragment2")];
    ends("7.1.5", &frames, &CLOSED);
}

#[test]
fn a_large_message_before_a_close_still_comes_back() {
    let payload = vec![b'*'; 256 << 10];
    let frames =
        [crate::frame::binary(&payload), text("Hello World!"), close_with(1000, ""), ping("")];
    let expected = [binary_back(&payload), text_back("Hello World!"), Answer::Close(Some(1000))];
    ends("7.1.6", &frames, &expected);
}

#[test]
fn an_empty_close_is_answered_with_an_empty_one() {
    ends("7.3.1", &[close("")], &[Answer::Close(None)]);
}

#[test]
fn half_a_close_code_fails_the_connection() {
    fails("7.3.2", &[close("a")], &[], 1002);
}

#[test]
fn a_close_may_have_a_reason_of_up_to_123_bytes() {
    for (case, reason) in [("7.3.3", ""), ("7.3.4", "Hello World!"), ("7.3.5", &"*".repeat(123))] {
        ends(case, &[close_with(1000, reason)], &CLOSED);
    }
    fails("7.3.6", &[close_with(1000, "*".repeat(124))], &[], 1002);
}

#[test]
fn a_close_reason_that_is_not_utf_8_fails_the_connection() {
    let reason = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";
    fails("7.5.1", &[close_with(1000, reason)], &[], 1007);
    fails("7.5.1, cut", &[close_with(1000, b"\xce")], &[], 1007);
}

#[test]
fn every_valid_close_code_is_answered() {
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    for code in valid.into_iter().chain([3000, 3999, 4000, 4999]) {
        ends(&format!("7.7, {code}"), &[close_with(code, "")], &[Answer::Close(Some(code))]);
    }
}

#[test]
fn every_other_close_code_fails_the_connection() {
    let invalid = (0..1000).chain(1004..=1006).chain(1015..3000).chain(5000..=u16::MAX);
    for code in invalid.filter(|code| *code < 3000 || code % 97 == 0 || *code == 5000) {
        fails(&format!("7.9, 7.13, {code}"), &[close_with(code, "")], &[], 1002);
        if code % 100 == 0 {
            fails(&format!("7.9, {code}, reason"), &[close_with(code, "reason")], &[], 1002);
        }
    }
    fails("7.13.2", &[close_with(u16::MAX, "")], &[], 1002);
}
