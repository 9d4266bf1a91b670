//! Text that arrives in pieces, which may be cut inside a character.

use crate::ProtocolError;

/// The length of the longest UTF-8 character. At most three bytes of it can be incomplete.
const CHARACTER_BYTES_MAX: usize = 4;

/// Collects text and checks it on arrival, so that a wrong byte is reported with its piece and not
/// with the end of the message.
#[derive(Debug, Default)]
pub(crate) struct TextAssembly {
    text: String,
    /// The start of a character whose rest has not arrived.
    cut: [u8; CHARACTER_BYTES_MAX],
    cut_len: usize,
}

impl TextAssembly {
    /// The number of bytes that have arrived.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.cut_len
    }

    /// Adds a piece; an error when no further piece could make it UTF-8.
    pub(crate) fn append(&mut self, mut piece: &[u8]) -> Result<(), ProtocolError> {
        while self.cut_len > 0
            && let Some((&byte, rest)) = piece.split_first()
        {
            piece = rest;
            self.mend(byte)?;
        }
        match simdutf8::basic::from_utf8(piece) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.append_cut(piece)?,
        }
        Ok(())
    }

    /// The whole text; an error when it ends inside a character.
    pub(crate) fn finish(self) -> Result<String, ProtocolError> {
        if self.cut_len > 0 { Err(ProtocolError::TextNotUtf8) } else { Ok(self.text) }
    }

    /// Adds one byte to the character that was cut.
    fn mend(&mut self, byte: u8) -> Result<(), ProtocolError> {
        self.cut[self.cut_len] = byte;
        let (cut, len) = (self.cut, self.cut_len + 1);
        self.cut_len = 0;
        self.append_cut(&cut[..len])
    }

    /// Adds a piece that is not UTF-8 as it stands: good only if merely its last character is cut.
    fn append_cut(&mut self, piece: &[u8]) -> Result<(), ProtocolError> {
        let valid_len = match std::str::from_utf8(piece) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(ProtocolError::TextNotUtf8),
        };
        let (valid, cut) = piece.split_at(valid_len);
        self.text.push_str(std::str::from_utf8(valid).unwrap_or_default());
        self.cut[..cut.len()].copy_from_slice(cut);
        self.cut_len = cut.len();
        Ok(())
    }
}
