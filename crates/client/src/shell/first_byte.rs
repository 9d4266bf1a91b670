//! TCP that remembers with which byte the server began: TLS is known by it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TLS record begins with its type: an alert, or a handshake (RFC 8446 section 5.1).
const TLS_RECORDS: [u8; 2] = [21, 22];

/// Shared with the stream.
#[derive(Clone, Default)]
pub(super) struct FirstByte(Arc<OnceLock<u8>>);

impl FirstByte {
    pub(super) fn is_tls(&self) -> bool {
        self.0.get().is_some_and(|byte| TLS_RECORDS.contains(byte))
    }

    pub(super) fn of(&self, tcp: TcpStream) -> Remembering {
        Remembering { tcp, first: self.clone() }
    }
}

/// A connection without TLS.
pub(super) struct Remembering {
    tcp: TcpStream,
    first: FirstByte,
}

impl AsyncRead for Remembering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        if let Some(byte) = buffer.filled().get(before) {
            // An error: it is remembered already.
            let _ = self.first.0.set(*byte);
        }
        read
    }
}

impl AsyncWrite for Remembering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
