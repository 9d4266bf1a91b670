//! Run: `cargo +nightly fuzz run seal_open`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| securecall_fuzz_targets::seal_open(input));
