#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| securecall_fuzzing::message_decode(text));
