//! The destination of an encoded message.

/// Takes the pieces of an encoded message, in order.
///
/// A message is described once and written twice: into a [`usize`], which only adds up lengths,
/// and into a `Vec<u8>`. So a frame's header, which holds the length, is written before the text
/// without a second buffer.
pub trait TextSink {
    /// Takes the next piece.
    fn put(&mut self, piece: &str);
}

impl TextSink for usize {
    #[inline]
    fn put(&mut self, piece: &str) {
        *self += piece.len();
    }
}

impl TextSink for Vec<u8> {
    #[inline]
    fn put(&mut self, piece: &str) {
        self.extend_from_slice(piece.as_bytes());
    }
}

impl TextSink for String {
    #[inline]
    fn put(&mut self, piece: &str) {
        self.push_str(piece);
    }
}
