//! Section 2: pings and pongs.

use crate::case::{answers, fails, pong_back, text_back};
use crate::frame::{ping, pong, text};

#[test]
fn a_ping_is_answered_with_its_payload() {
    let most = [0xfe; 125];
    let payloads: [(&str, &[u8]); 5] = [
        ("2.1", b""),
        ("2.2", b"Hello, world!"),
        ("2.3", &[0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff]),
        ("2.4", &most),
        ("2.6", &most),
    ];
    for (case, payload) in payloads {
        answers(case, &[ping(payload)], &[pong_back(payload)]);
    }
}

#[test]
fn a_ping_over_125_bytes_fails_the_connection() {
    fails("2.5", &[ping([0xfe; 126])], &[], 1002);
}

#[test]
fn an_unsolicited_pong_is_ignored() {
    answers("2.7", &[pong("")], &[]);
    answers("2.8", &[pong("unsolicited pong payload")], &[]);
    let frames = [pong("unsolicited pong payload"), ping("ping payload")];
    answers("2.9", &frames, &[pong_back("ping payload")]);
}

#[test]
fn many_pings_are_answered_in_their_order() {
    let payloads: Vec<String> = (0..10).map(|i| format!("payload-{i}")).collect();
    let pings: Vec<_> = payloads.iter().map(ping).collect();
    let pongs: Vec<_> = payloads.iter().map(pong_back).collect();
    answers("2.10, 2.11", &pings, &pongs);
}

#[test]
fn a_ping_is_answered_after_the_message_before_it() {
    answers("ping after text", &[text("a"), ping("b")], &[text_back("a"), pong_back("b")]);
}
