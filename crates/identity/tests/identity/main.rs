//! The crate from outside: test vectors, properties, and what `Debug` shows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod fixtures;
mod properties;

mod raw;
mod redaction;
mod vectors;
