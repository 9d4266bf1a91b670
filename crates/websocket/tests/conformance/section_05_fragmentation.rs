//! Section 5: fragments, and what may come between them.

use crate::case::{answers, fails, pong_back, text_back};
use crate::frame::{Frame, binary, continuation, fragments, ping, pong, text};

#[test]
fn a_fragmented_control_frame_fails_the_connection() {
    for (case, first) in [("5.1", ping("fragment1")), ("5.2", pong("fragment1"))] {
        fails(case, &[first.not_final(), continuation("fragment2")], &[], 1002);
    }
}

#[test]
fn fragments_are_joined() {
    let frames = fragments(1, ["fragment1", "fragment2"]);
    answers("5.3, 5.4, 5.5", &frames, &[text_back("fragment1fragment2")]);
}

#[test]
fn a_ping_between_fragments_is_answered_at_once() {
    let mut frames = fragments(1, ["fragment1", "fragment2"]);
    frames.insert(1, ping("ping payload"));
    let expected = [pong_back("ping payload"), text_back("fragment1fragment2")];
    answers("5.6, 5.7, 5.8", &frames, &expected);
}

#[test]
fn a_continuation_without_a_message_fails_the_connection() {
    let stray = [
        continuation("non-continuation payload"),
        continuation("non-continuation payload").not_final(),
        continuation(""),
    ];
    for first in stray {
        let frames = [first.clone(), text("Hello, world!")];
        fails("5.9–5.14", &frames, &[], 1002);
        let frames = [text("a"), first, text("b")];
        fails("5.9–5.14 after a message", &frames, &[text_back("a")], 1002);
    }
}

#[test]
fn a_continuation_after_a_complete_message_fails_the_connection() {
    let mut frames = fragments(1, ["fragment1", "fragment2"]);
    frames.push(continuation("fragment3").not_final());
    frames.push(text("fragment4"));
    fails("5.15", &frames, &[text_back("fragment1fragment2")], 1002);
}

#[test]
fn repeated_stray_continuations_fail_the_connection_at_the_first() {
    for first in [continuation("fragment1").not_final(), continuation("fragment1")] {
        let frames = [first, text("fragment2").not_final(), continuation("fragment3")];
        fails("5.16, 5.17", &[frames.clone(), frames].concat(), &[], 1002);
    }
}

#[test]
fn a_new_message_within_a_fragmented_one_fails_the_connection() {
    let first = text("fragment1").not_final();
    fails("5.18", &[first.clone(), text("fragment2")], &[], 1002);
    fails("5.18, binary", &[first.clone(), binary("fragment2")], &[], 1002);
    fails("5.18, again a start", &[first.clone(), first], &[], 1002);
}

#[test]
fn pings_between_many_fragments_are_answered_in_their_order() {
    let mut frames: Vec<Frame> = fragments(1, ["1", "2", "3", "4", "5"]);
    frames.insert(4, ping("pongme 2!"));
    frames.insert(2, ping("pongme 1!"));
    let expected = [pong_back("pongme 1!"), pong_back("pongme 2!"), text_back("12345")];
    answers("5.19, 5.20", &frames, &expected);
}

#[test]
fn messages_after_a_fragmented_one_are_their_own() {
    let frames = [fragments(1, ["a", "b"]), vec![text("c")], fragments(2, ["d", "", "e"])].concat();
    let expected = [text_back("ab"), text_back("c"), crate::case::binary_back("de")];
    answers("in a row", &frames, &expected);
}
