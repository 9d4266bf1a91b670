//! The properties that fuzzing tests, one function for each target. A function panics if its property does not hold.
//!
//! `fuzz/` calls them from libFuzzer, which needs a nightly compiler. `tests/corpus.rs` replays every input of
//! `fuzz/corpus` with the ordinary one, so an input that once found a fault is a test from then on.

#![allow(clippy::unwrap_used, reason = "a property that does not hold is a panic")]

mod identity_parse;
mod message_decode;
mod seal_open;
mod websocket_decode;

pub use identity_parse::identity_parse;
pub use message_decode::message_decode;
pub use seal_open::seal_open;
pub use websocket_decode::websocket_decode;
