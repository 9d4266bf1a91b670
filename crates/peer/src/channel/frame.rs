//! The frames of the channel; `docs/data-channel.md` specifies them for other implementations.
//!
//! ```text
//! text message    one frame, a JSON object
//! binary message  a chunk of the file that was begun
//! ```

use serde::{Deserialize, Serialize};

use crate::{Refusal, Violation};

/// Bytes of a chat line.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a chunk: a size that every WebRTC implementation takes in one message.
pub(crate) const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// Bytes of a message: the longest chat line if each of its bytes is escaped (`\u0001`).
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// A message of the data channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Frame(Frame),
    Chunk(Vec<u8>),
}

/// Everything but the bytes of files. `id` counts the files of the end that sends them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Frame {
    /// A chat line.
    Text { text: String },
    /// A file begins.
    File { id: u64, name: String, size: u64 },
    /// It is complete. `sha256` is in hex, in lower case.
    FileEnd { id: u64, sha256: String },
    /// It does not go on.
    FileCancel { id: u64 },
    /// The receiver has it, and the hash is right. `name`: under another, harmless name than was
    /// announced.
    FileReceived {
        id: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The receiver does not take it. Chunks that are on their way are thrown away.
    FileRefused { id: u64, reason: Refusal },
}

impl Message {
    /// Reads a message of the channel.
    pub(crate) fn read(binary: bool, bytes: Vec<u8>) -> Result<Self, Violation> {
        let bytes_max = if binary { CHUNK_BYTES_MAX } else { MESSAGE_BYTES_MAX };
        if bytes.len() > bytes_max {
            return Err(Violation::TooLarge);
        }
        if binary {
            return Ok(Self::Chunk(bytes));
        }
        match serde_json::from_slice(&bytes).map_err(|_| Violation::NotAFrame)? {
            Frame::Text { text } if text.len() > TEXT_BYTES_MAX => Err(Violation::TooLarge),
            frame => Ok(Self::Frame(frame)),
        }
    }

    /// Encodes a frame: true if it is binary, and its bytes.
    pub(crate) fn write(self) -> (bool, Vec<u8>) {
        match self {
            Self::Chunk(bytes) => (true, bytes),
            // Strings and numbers always have a JSON form.
            Self::Frame(frame) => (false, serde_json::to_vec(&frame).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Message, Violation> {
        Message::read(false, text.as_bytes().to_vec())
    }

    #[test]
    fn frames_are_written_as_documented() {
        let written = |frame| String::from_utf8(Message::Frame(frame).write().1).unwrap();
        assert_eq!(
            written(Frame::File { id: 1, name: "a".into(), size: 2 }),
            r#"{"type":"file","id":1,"name":"a","size":2}"#
        );
        assert_eq!(
            written(Frame::FileRefused { id: 1, reason: Refusal::TooLarge }),
            r#"{"type":"file-refused","id":1,"reason":"too-large"}"#
        );
        assert_eq!(
            written(Frame::FileReceived { id: 1, name: None }),
            r#"{"type":"file-received","id":1}"#
        );
        assert_eq!(
            written(Frame::FileReceived { id: 1, name: Some("_a".into()) }),
            r#"{"type":"file-received","id":1,"name":"_a"}"#
        );
    }

    #[test]
    fn a_message_that_is_not_a_frame_is_a_violation() {
        for text in ["", "hello", "{}", "[]", r#"{"type":"text"}"#, r#"{"type":"fly"}"#, "\u{0}"] {
            assert_eq!(read(text), Err(Violation::NotAFrame), "{text}");
        }
        assert_eq!(Message::read(false, vec![0xff; 9]), Err(Violation::NotAFrame));
        assert_eq!(read(r#"{"type":"text","text":"a","and":1}"#), Err(Violation::NotAFrame));
    }

    #[test]
    fn a_message_that_is_too_large_is_a_violation() {
        assert_eq!(read(&" ".repeat(MESSAGE_BYTES_MAX + 1)), Err(Violation::TooLarge));
        let chunk = vec![0; CHUNK_BYTES_MAX + 1];
        assert_eq!(Message::read(true, chunk), Err(Violation::TooLarge));
        let text = "x".repeat(TEXT_BYTES_MAX + 1);
        assert_eq!(
            read(&format!(r#"{{"type":"text","text":"{text}"}}"#)),
            Err(Violation::TooLarge)
        );
    }

    #[test]
    fn the_longest_text_fits_even_if_every_byte_is_escaped() {
        let text = "\u{1}".repeat(TEXT_BYTES_MAX);
        let (binary, bytes) = Message::Frame(Frame::Text { text: text.clone() }).write();
        assert_eq!(Message::read(binary, bytes), Ok(Message::Frame(Frame::Text { text })));
    }
}
