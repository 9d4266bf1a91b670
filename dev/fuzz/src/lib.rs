//! The body of each fuzz target, as a plain function. `fuzz/` hands these to libFuzzer, which needs a nightly compiler;
//! `tests/corpus.rs` gives them every file of the corpus, with any compiler.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is how a target reports a fault"
)]

mod identity_parse;
mod message_decode;
mod seal_open;
mod websocket_decode;

pub use identity_parse::identity_parse;
pub use message_decode::message_decode;
pub use seal_open::seal_open;
pub use websocket_decode::websocket_decode;
