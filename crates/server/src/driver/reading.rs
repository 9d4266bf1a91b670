//! How a driver reads its socket: into a buffer of the thread, decrypted into another with TLS.

use std::task::{Context as TaskContext, Poll};

use super::Driver;
use crate::batch::Batch;
use crate::read_buffer;
use crate::tls::{Incoming, PARTIAL_BYTES_MAX};

/// How many full buffers are read in a row before others have a turn.
const READS_PER_TURN: usize = 4;

/// How a look at the socket ended.
pub(super) enum Read {
    /// There may be more.
    Some,
    /// Nothing is there; the socket will wake us.
    Empty,
    /// The client is gone.
    End,
}

impl Driver {
    /// Reads and handles what there is, for one turn.
    pub(super) fn poll_read(&mut self, batch: &mut Batch<'_>, task: &mut TaskContext<'_>) -> Read {
        for _ in 0..READS_PER_TURN {
            let read = read_buffer::with(|buffer| {
                if self.encrypted {
                    self.read_encrypted(batch, task, buffer)
                } else {
                    self.read(batch, task, buffer)
                }
            });
            match read {
                Read::Some => {}
                done => return done,
            }
        }
        task.waker().wake_by_ref();
        Read::Empty
    }

    fn read(
        &mut self,
        batch: &mut Batch<'_>,
        task: &mut TaskContext<'_>,
        buffer: &mut [u8],
    ) -> Read {
        match self.poll_socket(task, buffer) {
            Ok(bytes) => {
                self.handle_bytes(batch, &mut buffer[..bytes]);
                Read::Some
            }
            Err(done) => done,
        }
    }

    /// The same over TLS: what was read is decrypted, and all that was in it handled at once.
    fn read_encrypted(
        &mut self,
        batch: &mut Batch<'_>,
        task: &mut TaskContext<'_>,
        buffer: &mut [u8],
    ) -> Read {
        let bytes = match self.poll_socket(task, &mut buffer[PARTIAL_BYTES_MAX..]) {
            Ok(bytes) => bytes,
            Err(done) => return done,
        };
        read_buffer::with_plaintext(|plaintext| {
            let ciphertext = &mut buffer[..PARTIAL_BYTES_MAX + bytes];
            let incoming = self.connection.decrypt(ciphertext, plaintext);
            self.handle_bytes(batch, plaintext);
            match incoming {
                Incoming::Open => Read::Some,
                Incoming::Closed => Read::End,
            }
        })
    }

    /// How many bytes came, or why none did.
    fn poll_socket(&self, task: &mut TaskContext<'_>, buffer: &mut [u8]) -> Result<usize, Read> {
        match self.connection.poll_read(task, buffer) {
            Poll::Pending => Err(Read::Empty),
            Poll::Ready(Ok(bytes @ 1..)) => Ok(bytes),
            Poll::Ready(_) => Err(Read::End),
        }
    }
}
