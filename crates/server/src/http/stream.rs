//! What the HTTP side needs of a byte stream, plain or TLS.

use std::future::Future;
use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tls::Records;

/// A connection that was just accepted.
pub(crate) trait Stream: Send {
    /// Waits for bytes and appends them. Returns how many; 0: no more will come.
    fn read(&mut self, into: &mut Vec<u8>) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes all of it.
    fn write_all(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<()>> + Send;

    /// Says that nothing follows. What the client has still to say can be read.
    fn shutdown(&mut self) -> impl Future<Output = io::Result<()>> + Send;

    /// The socket, and what encrypts it. None: nothing does.
    fn into_parts(self) -> (TcpStream, Option<Box<Records>>);
}

impl Stream for TcpStream {
    async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.read_buf(into).await
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        AsyncWriteExt::write_all(self, bytes).await
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        AsyncWriteExt::shutdown(self).await
    }

    fn into_parts(self) -> (TcpStream, Option<Box<Records>>) {
        (self, None)
    }
}
