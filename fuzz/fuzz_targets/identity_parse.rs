//! Run: `cargo +nightly fuzz run identity_parse`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| securecall_fuzz_targets::identity_parse(input));
