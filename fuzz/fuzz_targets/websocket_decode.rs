//! Run: `cargo +nightly fuzz run websocket_decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| securecall_fuzz_targets::websocket_decode(input));
