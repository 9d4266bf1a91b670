//! What a connection has still to write.

use securecall_protocol::{CloseCode, Reply};
use securecall_websocket::{
    CONTROL_PAYLOAD_BYTES_MAX, CloseReason, Opcode, write_close, write_header, write_ping,
    write_pong,
};

use super::pending::Pending;

/// The header of a frame that is not masked (RFC 6455 section 5.2).
const HEADER_BYTES_MAX: usize = 10;

/// Frames that are not written yet. Holds no buffer when there are none.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: Pending,
    closed: bool,
    /// Somebody will flush it at the end of its batch.
    pub(crate) flush_is_due: bool,
}

impl Outbox {
    /// Appends a text frame. Nothing follows a close frame.
    pub(crate) fn push(&mut self, reply: &Reply<'_>) {
        let text_bytes = reply.encoded_bytes();
        if let Some(bytes) = self.open(text_bytes) {
            write_header(bytes, Opcode::Text, text_bytes);
            reply.encode(bytes);
        }
    }

    /// Appends a text frame with a text that was encoded before.
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

    /// Appends the close frame, the last there is. Whether it was not closed before.
    pub(crate) fn push_close(&mut self, code: CloseCode) -> bool {
        self.push_close_frame(Some(CloseReason::new(code.code(), code.reason())))
    }

    /// The same with the code that the client gave; None answers a close frame without one.
    pub(crate) fn echo_close(&mut self, code: Option<u16>) {
        self.push_close_frame(code.map(|code| CloseReason::new(code, "")));
    }

    fn push_close_frame(&mut self, reason: Option<CloseReason<'_>>) -> bool {
        let Some(bytes) = self.open(CONTROL_PAYLOAD_BYTES_MAX) else { return false };
        write_close(bytes, reason.as_ref());
        self.closed = true;
        true
    }

    /// Whether the close frame was appended.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// What is to be written.
    pub(crate) fn unwritten(&self) -> &[u8] {
        self.frames.unwritten()
    }

    /// So much of it was written.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.frames.advance(bytes);
    }

    /// Forgets what is unwritten and gives the buffer back.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
    }

    /// Where to append a frame with so long a payload; `None` after the close frame.
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
