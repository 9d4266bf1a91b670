//! Section 6: text is UTF-8, all of it and nothing else.

use crate::case::{answers, fails, text_back};
use crate::frame::{continuation, fragments, text};

/// "κόσμε", then a surrogate (which UTF-8 forbids), then more.
const INVALID_IN_THE_MIDDLE: &[u8] = b"\xce\xba\xcf\x8c\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";
const KOSME: &str = "κόσμε";

/// As one frame, and in fragments cut at every place.
fn is_text(case: &str, payload: &[u8]) {
    answers(case, &[text(payload)], &[text_back(payload)]);
    for cut in 0..=payload.len() {
        let (start, end) = payload.split_at(cut);
        answers(case, &fragments(1, [start, end]), &[text_back(payload)]);
    }
}

/// As one frame, and in fragments cut at every place.
fn is_not_text(case: &str, payload: &[u8]) {
    fails(case, &[text(payload)], &[], 1007);
    for cut in 0..=payload.len() {
        let (start, end) = payload.split_at(cut);
        fails(case, &fragments(1, [start, end]), &[], 1007);
    }
}

#[test]
fn empty_text_and_empty_fragments_are_text() {
    is_text("6.1.1", b"");
    answers("6.1.2", &fragments(1, ["", "", ""]), &[text_back("")]);
    answers(
        "6.1.3",
        &fragments(1, ["", "middle frame payload", ""]),
        &[text_back("middle frame payload")],
    );
}

#[test]
fn characters_may_be_cut_anywhere() {
    is_text("6.2.1, 6.2.2", "Hello-µ@ßöäüàá-UTF-8!!".as_bytes());
    for payload in ["Hello-µ@ßöäüàá-UTF-8!!", KOSME] {
        let octets = payload.as_bytes().chunks(1);
        answers("6.2.3, 6.2.4", &fragments(1, octets), &[text_back(payload)]);
    }
}

#[test]
fn text_that_is_invalid_in_the_middle_fails_the_connection() {
    is_not_text("6.3.1", INVALID_IN_THE_MIDDLE);
    fails("6.3.2", &fragments(1, INVALID_IN_THE_MIDDLE.chunks(1)), &[], 1007);
}

#[test]
fn text_fails_the_connection_before_its_message_is_complete() {
    // Nothing final is ever sent: the first wrong byte is enough.
    let valid = text(KOSME).not_final();
    for wrong in [&b"\xf4\x90\x80\x80"[..], b"\xf4\x90", b"\xff", b"\xed\xa0"] {
        fails("6.4.1, 6.4.2", &[valid.clone(), continuation(wrong).not_final()], &[], 1007);
    }
    // Not even the frame is complete (6.4.3, 6.4.4).
    let mut unfinished = text(INVALID_IN_THE_MIDDLE).wire();
    unfinished.truncate(unfinished.len() - 6);
    crate::case::ends_raw("6.4.3", &unfinished, &[crate::case::Answer::Close(Some(1007))]);
}

#[test]
fn text_that_ends_inside_a_character_fails_the_connection() {
    for len in 1..KOSME.len() {
        let payload = &KOSME.as_bytes()[..len];
        let case = format!("6.6, {len} bytes");
        if KOSME.is_char_boundary(len) {
            is_text(&case, payload);
        } else {
            is_not_text(&case, payload);
        }
    }
}

#[test]
fn the_next_message_does_not_mend_a_cut_character() {
    let frames = [text("a"), text(b"\xce"), text(b"\xba")];
    fails("cut at a message's end", &frames, &[text_back("a")], 1007);
}

#[test]
fn the_sequences_at_the_edges_of_utf_8_are_text() {
    let valid: [(&str, &[&[u8]]); 5] = [
        ("6.5", &[b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"]),
        ("6.7", &[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
        ("6.9", &[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
        ("6.11", &[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"]),
        ("6.23", &[b"\xef\xbf\xb9", b"\xef\xbf\xba", b"\xef\xbf\xbb", b"\xef\xbf\xbc"]),
    ];
    for (section, sequences) in valid {
        for (i, sequence) in sequences.iter().enumerate() {
            is_text(&format!("{section}.{}", i + 1), sequence);
        }
    }
}

#[test]
fn noncharacters_are_text() {
    // 6.22: the last two code points of each of the seventeen planes.
    for plane in 0..=16 {
        for last in [0xfffe, 0xffff] {
            let character = char::from_u32(plane << 16 | last).unwrap();
            is_text("6.22", character.to_string().as_bytes());
        }
    }
}

/// Markus Kuhn's decoder stress test, as sections 6.8 to 6.21 have it.
const INVALID: [(&str, &[&[u8]]); 14] = [
    ("6.8, five and six bytes", &[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
    (
        "6.10, past the last code point",
        &[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    ),
    ("6.11.5, past the last code point", &[b"\xf4\x90\x80\x80"]),
    (
        "6.12, lone continuation bytes",
        &[
            b"\x80",
            b"\xbf",
            b"\x80\xbf",
            b"\x80\xbf\x80",
            b"\x80\xbf\x80\xbf",
            b"\x80\xbf\x80\xbf\x80",
            b"\x80\xbf\x80\xbf\x80\xbf",
        ],
    ),
    (
        "6.13, lone first bytes",
        &[b"\xc0 \xc1 \xc2 \xdf ", b"\xe0 \xe1 \xef ", b"\xf0 \xf4 \xf7 ", b"\xf8 \xfb ", b"\xfc "],
    ),
    (
        "6.14, without the last byte",
        &[
            b"\xc0",
            b"\xe0\x80",
            b"\xf0\x80\x80",
            b"\xf8\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80",
            b"\xdf",
            b"\xef\xbf",
            b"\xf7\xbf\xbf",
            b"\xfb\xbf\xbf\xbf",
            b"\xfd\xbf\xbf\xbf\xbf",
        ],
    ),
    ("6.15, all of them in a row", &[b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xdf\xef\xbf"]),
    ("6.16, impossible bytes", &[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
    (
        "6.17, overlong slash",
        &[
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xf0\x80\x80\xaf",
            b"\xf8\x80\x80\x80\xaf",
            b"\xfc\x80\x80\x80\x80\xaf",
        ],
    ),
    (
        "6.18, longest overlong",
        &[
            b"\xc1\xbf",
            b"\xe0\x9f\xbf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf8\x87\xbf\xbf\xbf",
            b"\xfc\x83\xbf\xbf\xbf\xbf",
        ],
    ),
    (
        "6.19, overlong NUL",
        &[
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xf0\x80\x80\x80",
            b"\xf8\x80\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80\x80",
        ],
    ),
    (
        "6.20, surrogates",
        &[
            b"\xed\xa0\x80",
            b"\xed\xad\xbf",
            b"\xed\xae\x80",
            b"\xed\xaf\xbf",
            b"\xed\xb0\x80",
            b"\xed\xbe\x80",
            b"\xed\xbf\xbf",
        ],
    ),
    (
        "6.21, pairs of surrogates",
        &[
            b"\xed\xa0\x80\xed\xb0\x80",
            b"\xed\xa0\x80\xed\xbf\xbf",
            b"\xed\xad\xbf\xed\xb0\x80",
            b"\xed\xad\xbf\xed\xbf\xbf",
            b"\xed\xae\x80\xed\xb0\x80",
            b"\xed\xae\x80\xed\xbf\xbf",
            b"\xed\xaf\xbf\xed\xb0\x80",
            b"\xed\xaf\xbf\xed\xbf\xbf",
        ],
    ),
    ("6.12.8, every continuation byte", &[&continuation_bytes()]),
];

const fn continuation_bytes() -> [u8; 64] {
    let mut bytes = [0; 64];
    let mut i = 0;
    while i < 64 {
        bytes[i] = 0x80 + i as u8;
        i += 1;
    }
    bytes
}

#[test]
fn every_invalid_sequence_fails_the_connection() {
    for (case, sequences) in INVALID {
        for sequence in sequences {
            is_not_text(case, sequence);
            is_not_text(case, &[b"before ", *sequence, b" after"].concat());
        }
    }
}

#[test]
fn each_lone_first_byte_fails_the_connection() {
    for first in 0xc0..=0xffu8 {
        is_not_text("6.13, each", &[first, b' ']);
    }
}
