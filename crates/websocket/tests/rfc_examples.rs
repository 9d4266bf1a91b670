//! The examples of RFC 6455, section 5.7 and section 1.3, byte for byte.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use securecall_websocket::{
    CloseReason, Decoder, Event, Opcode, Role, accept_key, code, write_close, write_header,
    write_masked_pong, write_masked_text, write_ping, write_text,
};

const MESSAGE_BYTES_MAX: u32 = 1 << 20;

fn decode_one(role: Role, mut bytes: Vec<u8>) -> Event<'static> {
    let mut decoder = Decoder::new(role, MESSAGE_BYTES_MAX);
    let mut input = &mut bytes[..];
    let mut event = decoder.next(&mut input).unwrap().unwrap();
    while event == Event::Fragment {
        event = decoder.next(&mut input).unwrap().unwrap();
    }
    assert!(input.is_empty());
    match event {
        Event::Text(text) => Event::Text(text.into_owned().into()),
        Event::Binary(payload) => Event::Binary(payload.into_owned().into()),
        Event::Ping(payload) => Event::Ping(payload.into_owned().into()),
        Event::Pong(payload) => Event::Pong(payload.into_owned().into()),
        Event::Fragment | Event::Close(_) => panic!("no example ends so"),
    }
}

#[test]
fn a_single_frame_unmasked_text_message() {
    let frame = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(decode_one(Role::Client, frame.to_vec()), Event::Text("Hello".into()));

    let mut out = Vec::new();
    write_text(&mut out, "Hello");
    assert_eq!(out, frame);
}

#[test]
fn a_single_frame_masked_text_message() {
    let frame = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(decode_one(Role::Server, frame.to_vec()), Event::Text("Hello".into()));

    let mut out = Vec::new();
    write_masked_text(&mut out, "Hello", [0x37, 0xfa, 0x21, 0x3d]);
    assert_eq!(out, frame);
}

#[test]
fn a_fragmented_unmasked_text_message() {
    let frames = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_eq!(decode_one(Role::Client, frames.to_vec()), Event::Text("Hello".into()));
}

#[test]
fn an_unmasked_ping_and_its_masked_answer() {
    let ping = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(decode_one(Role::Client, ping.to_vec()), Event::Ping(b"Hello".into()));
    let mut out = Vec::new();
    write_ping(&mut out, b"Hello");
    assert_eq!(out, ping);

    let pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(decode_one(Role::Server, pong.to_vec()), Event::Pong(b"Hello".into()));
    out.clear();
    write_masked_pong(&mut out, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
    assert_eq!(out, pong);
}

#[test]
fn binary_messages_of_256_bytes_and_of_64_kib() {
    let cases: [(usize, &[u8]); 2] =
        [(256, &[0x82, 0x7e, 1, 0]), (65_536, &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0])];
    for (len, header) in cases {
        let mut out = Vec::new();
        write_header(&mut out, Opcode::Binary, len);
        assert_eq!(out, header);
        out.resize(out.len() + len, 7);
        assert_eq!(decode_one(Role::Client, out), Event::Binary(vec![7; len].into()));
    }
}

#[test]
fn the_sample_nonce_has_the_sample_answer() {
    assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn a_reason_that_is_too_long_is_cut_to_a_control_frame() {
    let mut out = Vec::new();
    write_ping(&mut out, &[7; 126]);
    assert_eq!(decode_one(Role::Client, out), Event::Ping(vec![7; 125].into()));

    // Between characters: 61 of them are 122 bytes, and half a character is not written.
    let text = "é".repeat(100);
    let mut out = Vec::new();
    write_close(&mut out, Some(&CloseReason::new(code::GOING_AWAY, &text)));
    let mut decoder = Decoder::new(Role::Client, MESSAGE_BYTES_MAX);
    let closed = decoder.next(&mut &mut out[..]);
    let reason = CloseReason::new(code::GOING_AWAY, &text[..122]);
    assert_eq!(closed, Ok(Some(Event::Close(Some(reason)))));
}
