//! Decoding behind a broken rule, with the bytes cut anywhere: where the next frame can be found,
//! the peer's close frame is found; where it cannot, no frame is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use securecall_websocket::{
    CloseReason, Decoder, Event, Opcode, ProtocolError, Role, mask, write_masked_close,
    write_masked_header, write_masked_ping, write_masked_text,
};

const KEY: [u8; 4] = [1, 2, 3, 4];
const MESSAGE_BYTES_MAX: u32 = 1_000;

fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    write_masked_header(&mut wire, opcode, payload.len(), KEY);
    let start = wire.len();
    wire.extend_from_slice(payload);
    mask(&mut wire[start..], KEY);
    wire
}

/// The wrong bytes, then what a client that is in the middle of talking sends until it has seen our
/// close frame: a text, a ping, a message in two fragments, its close frame.
fn and_a_close_frame(mut wire: Vec<u8>) -> Vec<u8> {
    write_masked_text(&mut wire, "what it had to say still", KEY);
    write_masked_ping(&mut wire, b"?", KEY);
    let mut fragment = frame(Opcode::Text, b"one ");
    fragment[0] &= 0x7f;
    wire.extend(fragment);
    wire.extend(frame(Opcode::Continuation, b"two"));
    write_masked_close(&mut wire, Some(&CloseReason::new(1000, "")), KEY);
    wire
}

/// The errors, how many messages and pings were given away, and the code of the close frame.
fn decode(wire: &[u8], read_bytes: usize) -> (Vec<ProtocolError>, usize, Option<u16>, bool) {
    let mut decoder = Decoder::new(Role::Server, MESSAGE_BYTES_MAX);
    let (mut errors, mut events, mut close) = (Vec::new(), 0, None);
    for read in wire.chunks(read_bytes) {
        let mut buffer = read.to_vec();
        let mut input = &mut buffer[..];
        loop {
            match decoder.next(&mut input) {
                Ok(Some(Event::Close(reason))) => close = reason.map(|reason| reason.code),
                Ok(Some(Event::Fragment)) => {}
                Ok(Some(_)) => events += 1,
                Ok(None) => break,
                Err(error) => errors.push(error),
            }
        }
        assert!(input.is_empty(), "the decoder uses up its input");
    }
    (errors, events, close, decoder.is_finished())
}

#[track_caller]
fn assert_close_is_found(wire: Vec<u8>, error: ProtocolError) {
    let wire = and_a_close_frame(wire);
    for read_bytes in [usize::MAX, 4_096, 61, 7, 1] {
        let expected = (vec![error], 0, Some(1000), true);
        assert_eq!(decode(&wire, read_bytes), expected, "in reads of {read_bytes}");
    }
}

#[test]
fn the_answer_to_our_close_frame_stands_behind_a_message_that_is_too_big() {
    assert_close_is_found(frame(Opcode::Text, &[b'x'; 70_000]), ProtocolError::MessageTooBig);
    assert_close_is_found(frame(Opcode::Binary, &[0; 1_001]), ProtocolError::MessageTooBig);
}

#[test]
fn so_it_does_behind_a_fragment_that_makes_it_too_big() {
    let mut wire = frame(Opcode::Text, &[b'x'; 600]);
    wire[0] &= 0x7f;
    wire.extend(frame(Opcode::Continuation, &[b'x'; 600]));
    assert_close_is_found(wire, ProtocolError::MessageTooBig);
}

#[test]
fn so_it_does_behind_a_text_that_is_not_utf8() {
    let mut text = [b'x'; 300];
    text[150] = 0xff;
    assert_close_is_found(frame(Opcode::Text, &text), ProtocolError::TextNotUtf8);
    text[150] = b'x';
    text[299] = 0xc3;
    assert_close_is_found(frame(Opcode::Text, &text), ProtocolError::TextNotUtf8);
}

#[test]
fn so_it_does_behind_a_frame_in_the_wrong_place() {
    let stray = frame(Opcode::Continuation, b"of nothing");
    assert_close_is_found(stray, ProtocolError::ContinuationWithoutMessage);

    let mut within = frame(Opcode::Text, b"begun");
    within[0] &= 0x7f;
    within.extend(frame(Opcode::Text, b"and begun again"));
    assert_close_is_found(within, ProtocolError::MessageWithinMessage);
}

#[test]
fn behind_a_broken_header_no_frame_is_found() {
    for (first, error) in [
        (0xc1, ProtocolError::ReservedBit),
        (0x83, ProtocolError::ReservedOpcode(3)),
        (0x09, ProtocolError::ControlFragmented),
    ] {
        let mut wire = frame(Opcode::Text, b"hello");
        wire[0] = first;
        let wire = and_a_close_frame(wire);
        for read_bytes in [usize::MAX, 61, 1] {
            assert_eq!(decode(&wire, read_bytes), (vec![error], 0, None, true));
        }
    }
}

#[test]
fn a_second_broken_rule_ends_the_search() {
    let mut wire = frame(Opcode::Text, &[b'x'; 1_001]);
    wire.extend(*b"GET / HTTP/1.1\r\n\r\n");
    let (errors, events, close, finished) = decode(&wire, usize::MAX);
    assert_eq!((errors.len(), errors[0]), (2, ProtocolError::MessageTooBig));
    assert_eq!((events, close, finished), (0, None, true));
}

#[test]
fn frames_are_counted_one_by_one_however_small() {
    let mut wire = frame(Opcode::Text, b"");
    wire[0] &= 0x7f;
    let mut fragment = frame(Opcode::Continuation, b"");
    fragment[0] &= 0x7f;
    wire.extend(fragment.repeat(99));
    let mut decoder = Decoder::new(Role::Server, MESSAGE_BYTES_MAX);
    let mut input = &mut wire[..];
    let mut frames = 0;
    while let Some(event) = decoder.next(&mut input).unwrap() {
        assert_eq!(event, Event::Fragment);
        frames += 1;
        assert_eq!(input.len(), (100 - frames) * 6);
    }
    assert_eq!(frames, 100);
}

#[test]
fn a_decoder_knows_how_much_of_a_frame_is_missing() {
    let mut decoder = Decoder::new(Role::Server, MESSAGE_BYTES_MAX);
    assert_eq!(decoder.missing_bytes(), 0);
    let mut wire = frame(Opcode::Text, &[b'x'; 900]);
    let (mut begin, mut rest) = wire.split_at_mut(400);
    assert_eq!(decoder.next(&mut begin), Ok(None));
    assert_eq!(decoder.missing_bytes(), 508, "eight bytes of 400 were the header");
    assert!(matches!(decoder.next(&mut rest), Ok(Some(Event::Text(_)))));
    assert_eq!(decoder.missing_bytes(), 0);
}
