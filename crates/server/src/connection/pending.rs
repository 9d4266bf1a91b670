//! Bytes that wait for a socket.
//!
//! Mostly there are none: what is appended is written in the same turn, and the buffer goes back
//! to its thread.

use std::cell::RefCell;

/// How many spare buffers a thread keeps, and of what capacity at most: enough for a batch that
/// goes to many peers, at most 1 MiB.
const SPARES_MAX: usize = 64;
const SPARE_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    static SPARES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that are not written yet. Holds no buffer when there are none.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    written: usize,
}

impl Pending {
    /// What is to be written.
    pub(crate) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Where to append so many bytes. More than a spare buffer holds grows by a step at a time: to
    /// double what waits for a slow reader would take twice its bound.
    pub(crate) fn end(&mut self, bytes: usize) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARES.with_borrow_mut(Vec::pop).unwrap_or_default();
        }
        let needed = self.bytes.len() + bytes;
        if needed > self.bytes.capacity() && needed > SPARE_BYTES_MAX {
            let capacity = needed.next_multiple_of(SPARE_BYTES_MAX);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        &mut self.bytes
    }

    /// So much of it was written.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.written += bytes;
        if self.is_empty() {
            self.clear();
        } else if self.written >= SPARE_BYTES_MAX {
            // A slow reader's buffer must not grow by what it has read already.
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Forgets what is unwritten and gives the buffer back.
    pub(crate) fn clear(&mut self) {
        self.written = 0;
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        keep_spare(bytes);
    }
}

fn keep_spare(bytes: Vec<u8>) {
    if bytes.capacity() == 0 || bytes.capacity() > SPARE_BYTES_MAX {
        return;
    }
    SPARES.with_borrow_mut(|spares| {
        if spares.len() < SPARES_MAX {
            spares.push(bytes);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_holds_no_buffer() {
        let mut pending = Pending::default();
        pending.end(5).extend_from_slice(b"hello");
        pending.advance(3);
        assert_eq!(pending.unwritten(), b"lo");
        pending.advance(2);
        assert_eq!(pending.bytes.capacity(), 0);
    }

    #[test]
    fn what_waits_for_a_slow_reader_takes_one_step_more_than_it_is() {
        let mut pending = Pending::default();
        for frame in [[b'x'; 100]].repeat(3_000) {
            pending.end(frame.len()).extend_from_slice(&frame);
            let waiting = pending.unwritten().len();
            assert!(pending.bytes.capacity() <= waiting.max(SPARE_BYTES_MAX) + SPARE_BYTES_MAX);
        }
    }
}
