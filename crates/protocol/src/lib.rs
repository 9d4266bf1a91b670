//! The messages of SecureCall signaling: text ⇄ values.
//!
//! This crate refuses to do three things: it opens no socket, it reads no clock, and it decides
//! nothing. Whether a message is *allowed* is `securecall-core`'s business; here it is only
//! *understood*. What a [`Rate`] lets through is understood here too, because both ends count by it:
//! the server to refuse, a client so that it is not refused.
//!
//! Every message is one JSON object, `{"type": "…", "payload": {…}}`. What clients seal for each
//! other (offers, answers, candidates, keys) is [`Opaque`]: a slice of the received text, quotes
//! and escapes included. It is never unescaped and escaped again, so it leaves as it came, byte
//! for byte.
//!
//! ```text
//! received text ── decode ──► Request { id, ClientMessage<'text> }        (borrows the text)
//! ServerMessage<'text> ── encode ──► text appended to a write buffer      (one copy)
//! ```
//!
//! That is the server's side, which is in a hurry. The same messages as a client writes and reads
//! them are in [`client`].

pub mod client;
mod client_message;
mod close_code;
mod decode;
mod dialect;
mod error_code;
mod ids;
mod json;
mod message_class;
mod opaque;
mod rate;
mod reason;
mod server_message;
mod write;

pub use client_message::{
    CallMessage, ClientMessage, MessageType, Presented, Registration, Request,
};
pub use close_code::CloseCode;
pub use decode::{DecodeError, REQUEST_ID_BYTES_MAX, decode, decode_unnamed, request_id_of};
pub use dialect::Dialect;
pub use error_code::ErrorCode;
pub use ids::{ClientId, ClientIdError};
pub use message_class::{DefaultRate, MessageClass, MessageRates};
pub use opaque::{Opaque, OwnedOpaque};
pub use rate::{Bucket, Rate};
pub use reason::{EndReason, RejectReason};
pub use server_message::{Registered, Reply, Resumption, ServerMessage};
pub use write::TextSink;
