//! Reading the head of a request.

use std::io;

use securecall_websocket::{HeadLimits, parse_request};

use super::stream::Stream;

/// The room for a first read: the heads of browsers without cookies fit.
const FIRST_BYTES: usize = 1024;

/// Reads until the head is whole, or hopeless. Returns its length, with what came behind it after
/// that in `bytes`; 0: the client is gone.
///
/// It is parsed when it may be whole, whenever it has doubled, and at the end of the stream: byte by byte
/// it costs no more than three times what it costs at once.
///
/// # Errors
/// The connection is broken.
pub(crate) async fn read(
    stream: &mut impl Stream,
    limits: HeadLimits,
    bytes: &mut Vec<u8>,
) -> io::Result<usize> {
    bytes.reserve(FIRST_BYTES.min(limits.bytes_max));
    let mut parsed = 0;
    loop {
        let before = bytes.len();
        if stream.read(bytes).await? == 0 {
            let is_malformed = bytes.len() > parsed && parse_request(bytes, limits).is_err();
            return Ok(if is_malformed { bytes.len() } else { 0 });
        }
        let is_due = bytes.len() >= 2 * parsed || bytes.len() >= limits.bytes_max;
        if !is_due && !has_empty_line(bytes, before) {
            continue;
        }
        parsed = bytes.len();
        match parse_request(bytes, limits) {
            Ok(None) => {}
            Ok(Some((_, head_bytes))) => return Ok(head_bytes),
            Err(_) => return Ok(bytes.len()),
        }
    }
}

/// Tells whether an empty line ends behind `from`, as at the end of a head.
fn has_empty_line(bytes: &[u8], from: usize) -> bool {
    let tail = &bytes[from.saturating_sub(3)..];
    let ends = |end: &[u8]| tail.windows(end.len()).any(|window| window == end);
    ends(b"\n\r\n") || ends(b"\n\n")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::net::TcpStream;

    use super::*;
    use crate::tls::Records;

    /// A client that sends so many bytes at a time.
    struct Pieces<'a> {
        rest: &'a [u8],
        piece_bytes: usize,
        reads: Cell<usize>,
    }

    impl Stream for Pieces<'_> {
        async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
            let (piece, rest) = self.rest.split_at(self.piece_bytes.min(self.rest.len()));
            into.extend_from_slice(piece);
            self.rest = rest;
            self.reads.set(self.reads.get() + 1);
            Ok(piece.len())
        }

        async fn write_all(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }

        async fn shutdown(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn into_parts(self) -> (TcpStream, Option<Box<Records>>) {
            unreachable!("it is only read")
        }
    }

    async fn read_in_pieces(rest: &[u8], piece_bytes: usize) -> (usize, usize, usize) {
        let mut stream = Pieces { rest, piece_bytes, reads: Cell::new(0) };
        let mut bytes = Vec::new();
        let limits = HeadLimits { bytes_max: 4096, fields_max: 16 };
        let head_bytes = read(&mut stream, limits, &mut bytes).await.unwrap();
        (head_bytes, bytes.len(), stream.reads.get())
    }

    #[tokio::test]
    async fn a_head_is_whole_at_its_empty_line_however_it_is_cut() {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "c".repeat(500));
        let with_frames = head.clone() + "\u{1}\u{2}frames";
        for piece_bytes in [1, 2, 3, 4, 5, 7, 100, head.len() - 1, head.len(), 4096] {
            let (head_bytes, read, _) = read_in_pieces(with_frames.as_bytes(), piece_bytes).await;
            assert_eq!(head_bytes, head.len(), "in pieces of {piece_bytes}");
            assert!(read < head.len() + piece_bytes, "nothing more is waited for");
        }
    }

    #[tokio::test]
    async fn what_is_hopeless_is_not_read_to_its_end() {
        for (bytes, reads_max) in [
            (b"\x16\x03\x01\x02".repeat(1000), 1),
            (b"GET / HTTP/1.1\nHost: a\n\n".to_vec(), 24),
            (b"GET / HTTP/1.1\r\nX: ".iter().copied().chain([b'x'; 9000]).collect(), 4096),
        ] {
            let (_, _, reads) = read_in_pieces(&bytes, 1).await;
            assert!(reads <= reads_max, "{reads}");
        }
        assert_eq!(read_in_pieces(b"GET / HTT", 1).await.0, 0, "it left");
    }

    #[tokio::test]
    async fn what_is_malformed_when_the_client_closes_its_half_is_an_answer_s_worth() {
        // Seen wrong in its ninth byte, which is before it has doubled again.
        for malformed in [&b"GET / HT\x01"[..], b"GET / HTTP/1.1\r\nHost: a\r\nb\x01d"] {
            assert_eq!(read_in_pieces(malformed, 1).await.0, malformed.len());
        }
        assert_eq!(read_in_pieces(b"GET / HTTP/1.1\r\nHost: a\r\n", 1).await.0, 0, "it left");
        assert_eq!(read_in_pieces(b"", 1).await.0, 0);
    }
}
