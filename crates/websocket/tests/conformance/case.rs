//! Runs a case: frames in, answers out, the same for every way of cutting the bytes.

use std::fmt;

use crate::echo::Echo;
use crate::frame::{Frame, close_with, ping, take_server_frame};

/// The largest message of the suite is 16 MiB.
const MESSAGE_BYTES_MAX: u32 = 16 << 20;

/// Wires up to this length also run octet by octet.
const OCTET_WISE_BYTES_MAX: usize = 70_000;

/// An answer of the endpoint. The reason of a close frame is not compared.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
}

pub(crate) fn text_back(payload: impl AsRef<[u8]>) -> Answer {
    Answer::Text(payload.as_ref().to_vec())
}

pub(crate) fn binary_back(payload: impl AsRef<[u8]>) -> Answer {
    Answer::Binary(payload.as_ref().to_vec())
}

pub(crate) fn pong_back(payload: impl AsRef<[u8]>) -> Answer {
    Answer::Pong(payload.as_ref().to_vec())
}

/// The frames are answered so, and the connection works on: it then closes in good order.
#[track_caller]
pub(crate) fn answers(case: &str, frames: &[Frame], answers: &[Answer]) {
    let frames = [frames, &[close_with(1000, "done")]].concat();
    let answers = [answers, &[Answer::Close(Some(1000))]].concat();
    ends(case, &frames, &answers);
}

/// The frames are answered so, then the endpoint fails the connection with this code.
#[track_caller]
pub(crate) fn fails(case: &str, frames: &[Frame], answers: &[Answer], code: u16) {
    ends(case, frames, &[answers, &[Answer::Close(Some(code))]].concat());
}

/// Checks that the frames get these answers, of which the last is a close frame, and that later
/// input is ignored.
#[track_caller]
pub(crate) fn ends(case: &str, frames: &[Frame], answers: &[Answer]) {
    let mut wire: Vec<u8> = frames.iter().flat_map(Frame::wire).collect();
    wire.extend(ping("is anybody there?").wire());
    ends_raw(case, &wire, answers);
}

/// As [`ends`], with bytes that need not be frames.
#[track_caller]
pub(crate) fn ends_raw(case: &str, wire: &[u8], answers: &[Answer]) {
    let octet_wise = if wire.len() <= OCTET_WISE_BYTES_MAX { 1 } else { 64 };
    for read_bytes in [usize::MAX, 4096, 997, 61, octet_wise] {
        let mut echo = Echo::new(MESSAGE_BYTES_MAX);
        wire.chunks(read_bytes).for_each(|read| echo.receive(read));
        let seen = read_answers(&echo.sent);
        for (i, (seen, answer)) in seen.iter().zip(answers).enumerate() {
            assert_eq!(seen, answer, "{case}, reads of {read_bytes}, answer {i}");
        }
        assert_eq!(seen.len(), answers.len(), "{case}, reads of {read_bytes}: {seen:?}");
        assert!(echo.closed, "{case}");
    }
}

fn read_answers(mut sent: &[u8]) -> Vec<Answer> {
    let frames = std::iter::from_fn(|| take_server_frame(&mut sent));
    frames.map(|(opcode, payload)| answer(opcode, payload)).collect()
}

fn answer(opcode: u8, payload: &[u8]) -> Answer {
    match (opcode, payload) {
        (1, payload) => text_back(payload),
        (2, payload) => binary_back(payload),
        (8, []) => Answer::Close(None),
        (8, [high, low, ..]) => Answer::Close(Some(u16::from_be_bytes([*high, *low]))),
        (10, payload) => pong_back(payload),
        _ => panic!("an echo endpoint does not send opcode {opcode}"),
    }
}

impl fmt::Debug for Answer {
    /// Megabytes do not help whoever reads a failure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(payload) => write!(f, "text of {}", payload.len()),
            Self::Binary(payload) => write!(f, "binary of {}", payload.len()),
            Self::Pong(payload) => write!(f, "pong of {}", payload.len()),
            Self::Close(code) => write!(f, "close {code:?}"),
        }
    }
}
