//! Any bytes mean the same to a decoder however they are cut into reads, and never panic.
//!
//! Run: `cargo +nightly fuzz run websocket_decode`. The first byte of an input chooses the role and
//! how the rest, the wire, is cut.

use securecall_websocket::{Decoder, ProtocolError, Role};

/// Small, so that the fuzzer finds the limit.
const MESSAGE_BYTES_MAX: u32 = 1024;

/// Panics if the sentence above is not true of this input.
pub fn websocket_decode(input: &[u8]) {
    let Some((&choice, wire)) = input.split_first() else { return };
    let role = if choice & 1 == 0 { Role::Server } else { Role::Client };
    let read_bytes = usize::from(choice >> 1).max(1);
    assert_eq!(decode(role, wire, read_bytes), decode(role, wire, wire.len().max(1)));
}

/// The events of the wire, printed, and the error that ended them.
fn decode(role: Role, wire: &[u8], read_bytes: usize) -> (Vec<String>, Option<ProtocolError>) {
    let mut decoder = Decoder::new(role, MESSAGE_BYTES_MAX);
    let mut events = Vec::new();
    for read in wire.chunks(read_bytes) {
        let mut buffer = read.to_vec();
        let mut input = &mut buffer[..];
        loop {
            match decoder.next(&mut input) {
                Ok(Some(event)) => events.push(format!("{event:?}")),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
        assert!(input.is_empty(), "None means that the input is used up");
    }
    (events, None)
}
