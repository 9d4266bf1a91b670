//! The outbox of a connection: frames that are not written yet.

use securecall_protocol::{CloseCode, Reply};
use securecall_websocket::{
    CONTROL_PAYLOAD_BYTES_MAX, CloseReason, Opcode, write_close, write_header, write_ping,
    write_pong,
};

use super::pending::Pending;

/// The longest header of an unmasked frame (RFC 6455 section 5.2).
const HEADER_BYTES_MAX: usize = 10;

/// Frames that are not written yet. Without frames it holds no buffer.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: Pending,
    closed: bool,
    /// True if an earlier caller will flush at the end of its batch.
    pub(crate) flush_is_due: bool,
}

impl Outbox {
    /// Appends a text frame. After a close frame it does nothing.
    pub(crate) fn push(&mut self, reply: &Reply<'_>) {
        let text_bytes = reply.encoded_bytes();
        if let Some(bytes) = self.open(text_bytes) {
            write_header(bytes, Opcode::Text, text_bytes);
            reply.encode(bytes);
        }
    }

    /// Appends a text frame whose text is encoded already.
    pub(crate) fn push_text(&mut self, text: &str) {
        if let Some(bytes) = self.open(text.len()) {
            write_header(bytes, Opcode::Text, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
    }

    pub(crate) fn push_ping(&mut self) {
        if let Some(bytes) = self.open(0) {
            write_ping(bytes, b"");
        }
    }

    pub(crate) fn push_pong(&mut self, payload: &[u8]) {
        if let Some(bytes) = self.open(payload.len()) {
            write_pong(bytes, payload);
        }
    }

    /// Appends the close frame, the last frame of all. Returns false if there was one already.
    pub(crate) fn push_close(&mut self, code: CloseCode) -> bool {
        self.push_close_frame(Some(CloseReason::new(code.code(), code.reason())))
    }

    /// Appends a close frame with the client's own code. `None` answers a close frame without a
    /// code.
    pub(crate) fn echo_close(&mut self, code: Option<u16>) {
        self.push_close_frame(code.map(|code| CloseReason::new(code, "")));
    }

    fn push_close_frame(&mut self, reason: Option<CloseReason<'_>>) -> bool {
        let Some(bytes) = self.open(CONTROL_PAYLOAD_BYTES_MAX) else { return false };
        write_close(bytes, reason.as_ref());
        self.closed = true;
        true
    }

    /// Returns true if the close frame was appended.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Returns the unwritten bytes.
    pub(crate) fn unwritten(&self) -> &[u8] {
        self.frames.unwritten()
    }

    /// Removes bytes that were written.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.frames.advance(bytes);
    }

    /// Discards the unwritten bytes, and returns the buffer to its thread.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
    }

    /// Returns the buffer to append a frame with this payload length, or `None` after the close
    /// frame.
    fn open(&mut self, payload_bytes: usize) -> Option<&mut Vec<u8>> {
        (!self.closed).then(|| self.frames.end(HEADER_BYTES_MAX + payload_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_close_frame() {
        let mut outbox = Outbox::default();
        assert!(outbox.push_close(CloseCode::Superseded));
        let closed = outbox.unwritten().to_vec();
        outbox.push_text("late");
        assert!(!outbox.push_close(CloseCode::Draining));
        assert_eq!(outbox.unwritten(), closed);
    }
}
