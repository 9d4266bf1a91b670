//! Rules of RFC 6455 that the suite does not test: masks, lengths, and our own limit.

use std::borrow::Cow;

use securecall_websocket::{Decoder, Event, ProtocolError, Role};

use crate::case::{Answer, ends_raw};
use crate::frame::{Frame, continuation, fragments, ping, text};

#[track_caller]
fn breaks_the_protocol(case: &str, wire: &[u8]) {
    ends_raw(case, wire, &[Answer::Close(Some(1002))]);
}

/// Decodes the frames with a limit and returns the first error.
fn first_error(frames: &[Frame], message_bytes_max: u32) -> Option<ProtocolError> {
    let mut wire: Vec<u8> = frames.iter().flat_map(Frame::wire).collect();
    let mut decoder = Decoder::new(Role::Server, message_bytes_max);
    let mut input = &mut wire[..];
    loop {
        match decoder.next(&mut input) {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

#[test]
fn an_unmasked_frame_from_a_client_fails_the_connection() {
    breaks_the_protocol("unmasked text", b"\x81\x05Hello");
    breaks_the_protocol("unmasked empty ping", b"\x89\x00");
}

#[test]
fn a_masked_frame_from_a_server_is_refused() {
    let mut wire = text("Hello").wire();
    let mut decoder = Decoder::new(Role::Client, 1024);
    assert_eq!(decoder.next(&mut &mut wire[..]), Err(ProtocolError::Masked));
}

#[test]
fn a_length_in_more_bytes_than_it_needs_fails_the_connection() {
    breaks_the_protocol("125 in 16 bits", b"\x81\xfe\x00\x7d\x00\x00\x00\x00");
    breaks_the_protocol("0 in 16 bits", b"\x81\xfe\x00\x00\x00\x00\x00\x00");
    let mut wire = b"\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff".to_vec();
    breaks_the_protocol("65535 in 64 bits", &wire);
    wire[9] = 1;
    wire[8] = 0;
    breaks_the_protocol("1 in 64 bits", &wire);
}

#[test]
fn a_length_of_64_bits_fails_the_connection() {
    breaks_the_protocol("top bit", b"\x82\xff\x80\x00\x00\x00\x00\x01\x00\x00");
    breaks_the_protocol("all bits", b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff");
}

#[test]
fn the_longest_length_there_is_fails_the_connection_as_too_big() {
    let wire = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00";
    ends_raw("2⁶³ − 1", wire, &[Answer::Close(Some(1009))]);
}

#[test]
fn a_control_frame_with_a_longer_length_form_fails_the_connection() {
    breaks_the_protocol("ping, 16 bits", b"\x89\xfe\x00\x7e");
    breaks_the_protocol("ping, 64 bits", b"\x89\xff\x00\x00\x00\x00\x00\x01\x00\x00");
}

#[test]
fn a_frame_is_too_big_one_byte_over_the_limit() {
    assert_eq!(first_error(&[text("x".repeat(64))], 64), None);
    let over = first_error(&[text("x".repeat(65))], 64);
    assert_eq!(over, Some(ProtocolError::MessageTooBig));
}

#[test]
fn fragments_are_too_big_when_their_sum_is_over_the_limit() {
    assert_eq!(first_error(&fragments(1, ["x".repeat(32), "y".repeat(32)]), 64), None);
    let over = first_error(&fragments(1, ["x".repeat(32), "y".repeat(33)]), 64);
    assert_eq!(over, Some(ProtocolError::MessageTooBig));
}

#[test]
fn a_cut_character_counts_towards_the_limit() {
    let frames = [text(b"xx\xce").not_final(), continuation(b"\xbay")];
    assert_eq!(first_error(&frames, 5), None);
    assert_eq!(first_error(&frames, 4), Some(ProtocolError::MessageTooBig));
}

#[test]
fn the_limit_is_for_messages_not_for_control_frames() {
    assert_eq!(first_error(&[ping("x".repeat(125)), text("")], 1), None);
}

#[test]
fn a_message_that_is_too_big_is_refused_by_its_header_alone() {
    let header = &mut text("x".repeat(65)).wire()[..6];
    let mut decoder = Decoder::new(Role::Server, 64);
    assert_eq!(decoder.next(&mut &mut header[..]), Err(ProtocolError::MessageTooBig));
}

#[test]
fn the_first_byte_that_breaks_a_rule_is_reported_without_waiting_for_more() {
    let starts: [(&[u8], ProtocolError); 5] = [
        (&[0xc1, 0x80], ProtocolError::ReservedBit),
        (&[0x83, 0x80], ProtocolError::ReservedOpcode(3)),
        (&[0x81, 0x00], ProtocolError::Unmasked),
        (&[0x09, 0x80], ProtocolError::ControlFragmented),
        (&[0x89, 0xfe], ProtocolError::ControlTooBig),
    ];
    for (start, error) in starts {
        let mut wire = start.to_vec();
        let mut decoder = Decoder::new(Role::Server, 64);
        assert_eq!(decoder.next(&mut &mut wire[..]), Err(error));
    }
}

#[test]
fn a_whole_frame_is_lent_and_a_cut_one_is_given() {
    let wire = text("Hello").wire();
    let mut decoder = Decoder::new(Role::Server, 64);
    // The second round would fail if the cut frame left anything behind in the decoder.
    for _ in 0..2 {
        let mut read = wire.clone();
        let lent = decoder.next(&mut &mut read[..]);
        assert!(matches!(lent, Ok(Some(Event::Text(Cow::Borrowed("Hello"))))));

        let (mut start, mut end) = (wire[..8].to_vec(), wire[8..].to_vec());
        assert_eq!(decoder.next(&mut &mut start[..]), Ok(None));
        let given = decoder.next(&mut &mut end[..]);
        assert!(matches!(given, Ok(Some(Event::Text(Cow::Owned(_))))));
    }
}
