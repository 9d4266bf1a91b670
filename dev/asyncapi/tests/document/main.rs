//! The document against the protocol: what the encoder writes, what the decoder reads, and the
//! file in docs/.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod decoded;
mod encoded;
mod from_schema;
mod schemas;
mod up_to_date;
mod written;
