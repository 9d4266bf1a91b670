//! RFC 6455 as values: frames and the opening handshake, for the server and for the client.
//!
//! This crate does no I/O, reads no clock and draws no random number. The caller reads bytes from
//! a socket and hands them in, takes events out, and writes the bytes that the encoders append to
//! its buffer. Mask keys and handshake nonces are arguments.
//!
//! One side of a connection, as the server runs it:
//!
//! 1. [`parse_request`] until it yields a [`Request`]; [`Request::upgrade`] and
//!    [`write_switching_protocols`], or [`RequestError::write_response`] and the end.
//! 2. After each read, [`Decoder::next`] until it yields `None`: all of the read buffer is used
//!    then, and incomplete input is buffered in the decoder.
//! 3. Answer [`Event::Ping`] with [`write_pong`] and [`Event::Close`] with [`write_close`]; the
//!    decoder answers nothing by itself.
//! 4. On a [`ProtocolError`], write its [`close_reason`](ProtocolError::close_reason), and read on for
//!    [`Event::Close`], the peer's answer, unless [`Decoder::is_finished`]; then hang up.
//!
//! ```
//! use securecall_websocket::{Decoder, Event, ProtocolError, Role, write_pong};
//!
//! fn received(
//!     decoder: &mut Decoder,
//!     mut input: &mut [u8],
//!     out: &mut Vec<u8>,
//! ) -> Result<(), ProtocolError> {
//!     while let Some(event) = decoder.next(&mut input)? {
//!         match event {
//!             Event::Text(text) => println!("{} bytes", text.len()),
//!             Event::Ping(payload) => write_pong(out, &payload),
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! }
//!
//! let mut read = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//! let mut decoder = Decoder::new(Role::Server, 64 * 1024);
//! received(&mut decoder, &mut read, &mut Vec::new())?;
//! # Ok::<(), ProtocolError>(())
//! ```
//!
//! No extension and no subprotocol is ever negotiated, so every reserved bit is an error.

mod close;
mod decode;
mod encode;
mod error;
mod event;
mod handshake;
mod header;
mod mask;
mod opcode;
mod partial;
mod text;

pub use close::{CloseReason, code};
pub use decode::Decoder;
pub use encode::{
    CONTROL_PAYLOAD_BYTES_MAX, write_binary, write_close, write_header, write_masked_binary,
    write_masked_close, write_masked_header, write_masked_ping, write_masked_pong,
    write_masked_text, write_ping, write_pong, write_text,
};
pub use error::ProtocolError;
pub use event::Event;
pub use handshake::{
    HeadLimits, Nonce, Request, RequestError, ResponseError, UnsafeHeader, UpgradeKey, accept_key,
    parse_request, parse_response, write_request, write_switching_protocols,
};
pub use mask::{MaskKey, mask};
pub use opcode::{Opcode, Role};
