//! How a driver reads its socket: into a buffer of the thread, decrypted into another with TLS.
//!
//! A read is short, and what it brought beyond the turn's bound is held until the next turn, which
//! reads nothing before that is handled. So a connection holds no more than one read.

use std::task::{Context as TaskContext, Poll};

use super::Driver;
use super::turn::Turn;
use crate::connection::flusher;
use crate::connection::read_buffer;
use crate::presence::Batch;
use crate::tls::{Incoming, PARTIAL_BYTES_MAX};

/// How much is read at once, unless the frame in flight lacks more: fifty candidates.
const READ_BYTES: usize = 16 * 1024;

/// The same of ciphertext, unless the record in flight lacks more. Each record costs some 0.4 µs
/// and is 23 bytes at least: 178 of them are as much as a turn.
const CIPHERTEXT_READ_BYTES: usize = 4 * 1024;

/// How a look at the socket ended.
pub(super) enum Read {
    /// There may be more.
    Some,
    /// Nothing is there, or the turn is over; we will be woken.
    Empty,
    /// The client is gone.
    End,
}

impl Driver {
    /// Reads and handles what there is, for one turn.
    pub(super) fn poll_read(&mut self, batch: &mut Batch<'_>, task: &mut TaskContext<'_>) -> Read {
        let mut turn = Turn::begin();
        self.handle_unhandled(batch, &mut turn);
        while !turn.is_over() {
            let read = read_buffer::with(|buffer| {
                if self.encrypted {
                    self.read_encrypted(batch, task, buffer, &mut turn)
                } else {
                    self.read(batch, task, buffer, &mut turn)
                }
            });
            match read {
                Read::Some => {}
                done => return done,
            }
        }
        flusher::go_on_later(task.waker());
        Read::Empty
    }

    /// Handles what the last turn has left.
    fn handle_unhandled(&mut self, batch: &mut Batch<'_>, turn: &mut Turn) {
        if self.unhandled.is_empty() {
            return;
        }
        let mut bytes = std::mem::take(&mut self.unhandled);
        let left = self.handle_bytes(batch, &mut bytes, turn);
        if left > 0 {
            bytes.drain(..bytes.len() - left);
            self.unhandled = bytes;
        }
    }

    fn read(
        &mut self,
        batch: &mut Batch<'_>,
        task: &mut TaskContext<'_>,
        buffer: &mut [u8],
        turn: &mut Turn,
    ) -> Read {
        let bytes_max = read_bytes_max(READ_BYTES, self.decoder.missing_bytes(), buffer.len());
        let bytes = match self.poll_socket(task, &mut buffer[..bytes_max]) {
            Ok(bytes) => bytes,
            Err(done) => return done,
        };
        let buffer = &mut buffer[..bytes];
        let left = self.handle_bytes(batch, buffer, turn);
        self.unhandled.extend_from_slice(&buffer[bytes - left..]);
        Read::Some
    }

    /// The same over TLS: what was read is decrypted before any of it is handled.
    fn read_encrypted(
        &mut self,
        batch: &mut Batch<'_>,
        task: &mut TaskContext<'_>,
        buffer: &mut [u8],
        turn: &mut Turn,
    ) -> Read {
        let missing = self.connection.missing_ciphertext_bytes();
        let room = buffer.len() - PARTIAL_BYTES_MAX;
        let bytes_max = read_bytes_max(CIPHERTEXT_READ_BYTES, missing as u64, room);
        let end = PARTIAL_BYTES_MAX + bytes_max;
        let bytes = match self.poll_socket(task, &mut buffer[PARTIAL_BYTES_MAX..end]) {
            Ok(bytes) => bytes,
            Err(done) => return done,
        };
        read_buffer::with_plaintext(|plaintext| {
            let ciphertext = &mut buffer[..PARTIAL_BYTES_MAX + bytes];
            let incoming = self.connection.decrypt(ciphertext, plaintext);
            turn.spend(bytes);
            let mut left = self.handle_bytes(batch, plaintext, turn);
            if incoming == Incoming::Open {
                self.unhandled.extend_from_slice(&plaintext[plaintext.len() - left..]);
                return Read::Some;
            }
            // It is the last, and no event of the socket would have us handle it later.
            while left > 0 {
                let begin = plaintext.len() - left;
                left = self.handle_bytes(batch, &mut plaintext[begin..], &mut Turn::begin());
            }
            Read::End
        })
    }

    /// How many bytes came, or why none did.
    fn poll_socket(
        &mut self,
        task: &mut TaskContext<'_>,
        buffer: &mut [u8],
    ) -> Result<usize, Read> {
        let bytes = match self.connection.poll_read(task, buffer) {
            Poll::Pending => return Err(Read::Empty),
            Poll::Ready(Ok(bytes @ 1..)) => bytes,
            Poll::Ready(_) => return Err(Read::End),
        };
        let enough = self.goodbye.as_mut().is_some_and(|goodbye| !goodbye.discard(bytes));
        if enough { Err(Read::End) } else { Ok(bytes) }
    }
}

/// What is in flight is read to its end at once: it is one thing to handle, however long. Anything
/// behind it may be many small ones.
fn read_bytes_max(usual: usize, missing: u64, room: usize) -> usize {
    usize::try_from(missing).map_or(room, |missing| missing.max(usual).min(room))
}
