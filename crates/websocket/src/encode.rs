//! Frames to bytes: every function appends one whole frame, or its header, to a buffer.
//!
//! A frame here is always a whole message: nothing we send needs fragments.

use crate::header::{FIN, LENGTH_IS_16_BITS, LENGTH_IS_64_BITS, MASKED, SHORT_LENGTH_MAX};
use crate::{CloseReason, MaskKey, Opcode, mask};

/// The longest payload of a ping, pong or close frame, in bytes; longer ones are cut to it.
pub const CONTROL_PAYLOAD_BYTES_MAX: usize = SHORT_LENGTH_MAX as usize;

/// Of which the first two are the code.
const CLOSE_TEXT_BYTES_MAX: usize = CONTROL_PAYLOAD_BYTES_MAX - 2;

/// Writes the header of a server's frame. The caller appends `payload_bytes` bytes itself, in as
/// many parts as it likes; a control frame may have [`CONTROL_PAYLOAD_BYTES_MAX`] of them.
#[inline]
pub fn write_header(out: &mut Vec<u8>, opcode: Opcode, payload_bytes: usize) {
    write_header_start(out, opcode, payload_bytes, 0);
}

/// Writes the header of a client's frame. The payload that the caller appends is to be masked with
/// the same `key` (see [`mask`](crate::mask())).
#[inline]
pub fn write_masked_header(out: &mut Vec<u8>, opcode: Opcode, payload_bytes: usize, key: MaskKey) {
    write_header_start(out, opcode, payload_bytes, MASKED);
    out.extend_from_slice(&key);
}

/// Writes a server's text message.
#[inline]
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    write_frame(out, Opcode::Text, text.as_bytes());
}

/// Writes a server's binary message.
#[inline]
pub fn write_binary(out: &mut Vec<u8>, payload: &[u8]) {
    write_frame(out, Opcode::Binary, payload);
}

/// Writes a server's ping.
pub fn write_ping(out: &mut Vec<u8>, payload: &[u8]) {
    write_frame(out, Opcode::Ping, cut_control(payload));
}

/// Writes a server's pong: the answer to a ping with the same payload.
pub fn write_pong(out: &mut Vec<u8>, payload: &[u8]) {
    write_frame(out, Opcode::Pong, cut_control(payload));
}

/// Writes a server's close frame, without a code if `reason` is `None`. After it nothing may be
/// sent.
pub fn write_close(out: &mut Vec<u8>, reason: Option<&CloseReason<'_>>) {
    write_header(out, Opcode::Close, reason.map_or(0, close_body_bytes));
    write_close_body(out, reason);
}

/// Writes a client's text message.
#[inline]
pub fn write_masked_text(out: &mut Vec<u8>, text: &str, key: MaskKey) {
    write_masked_frame(out, Opcode::Text, text.as_bytes(), key);
}

/// Writes a client's binary message.
#[inline]
pub fn write_masked_binary(out: &mut Vec<u8>, payload: &[u8], key: MaskKey) {
    write_masked_frame(out, Opcode::Binary, payload, key);
}

/// Writes a client's ping.
pub fn write_masked_ping(out: &mut Vec<u8>, payload: &[u8], key: MaskKey) {
    write_masked_frame(out, Opcode::Ping, cut_control(payload), key);
}

/// Writes a client's pong.
pub fn write_masked_pong(out: &mut Vec<u8>, payload: &[u8], key: MaskKey) {
    write_masked_frame(out, Opcode::Pong, cut_control(payload), key);
}

/// Writes a client's close frame, without a code if `reason` is `None`. After it nothing may be
/// sent.
pub fn write_masked_close(out: &mut Vec<u8>, reason: Option<&CloseReason<'_>>, key: MaskKey) {
    write_masked_header(out, Opcode::Close, reason.map_or(0, close_body_bytes), key);
    let start = out.len();
    write_close_body(out, reason);
    mask(&mut out[start..], key);
}

#[inline]
fn write_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    write_header(out, opcode, payload.len());
    out.extend_from_slice(payload);
}

#[inline]
fn write_masked_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], key: MaskKey) {
    write_masked_header(out, opcode, payload.len(), key);
    let start = out.len();
    out.extend_from_slice(payload);
    mask(&mut out[start..], key);
}

/// The two bytes that every frame has, and the length if they have no room for it.
#[inline]
fn write_header_start(out: &mut Vec<u8>, opcode: Opcode, payload_bytes: usize, masked: u8) {
    let first = FIN | opcode as u8;
    if payload_bytes <= SHORT_LENGTH_MAX.into() {
        out.extend_from_slice(&[first, masked | payload_bytes as u8]);
    } else if let Ok(length) = u16::try_from(payload_bytes) {
        let [high, low] = length.to_be_bytes();
        out.extend_from_slice(&[first, masked | LENGTH_IS_16_BITS, high, low]);
    } else {
        out.extend_from_slice(&[first, masked | LENGTH_IS_64_BITS]);
        out.extend_from_slice(&(payload_bytes as u64).to_be_bytes());
    }
}

fn cut_control(payload: &[u8]) -> &[u8] {
    &payload[..payload.len().min(CONTROL_PAYLOAD_BYTES_MAX)]
}

fn close_body_bytes(reason: &CloseReason<'_>) -> usize {
    2 + cut_close_text(reason).len()
}

fn write_close_body(out: &mut Vec<u8>, reason: Option<&CloseReason<'_>>) {
    if let Some(reason) = reason {
        out.extend_from_slice(&reason.code.to_be_bytes());
        out.extend_from_slice(cut_close_text(reason).as_bytes());
    }
}

/// The part of the text that fits, cut between characters.
fn cut_close_text<'a>(reason: &'a CloseReason<'_>) -> &'a str {
    &reason.text[..reason.text.floor_char_boundary(CLOSE_TEXT_BYTES_MAX)]
}
