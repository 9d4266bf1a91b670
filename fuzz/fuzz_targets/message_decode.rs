//! Run: `cargo +nightly fuzz run message_decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| securecall_fuzz_targets::message_decode(input));
