//! Pending bytes of a socket.
//!
//! Usually there are none: what is appended is written in the same turn, and the buffer returns to
//! its thread.

use std::cell::RefCell;

/// The number of spare buffers of a thread, and the largest capacity of each: enough for a batch to
/// many peers, and 1 MiB at most.
const SPARES_MAX: usize = 64;
const SPARE_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    static SPARES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that are not written yet. Without bytes it holds no buffer.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    written: usize,
}

impl Pending {
    /// Returns the unwritten bytes.
    pub(crate) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Returns the buffer with room for `bytes` more. Beyond the size of a spare buffer it grows in
    /// fixed steps: doubling would take twice the bound for a slow reader.
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

    /// Removes bytes that were written.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.written += bytes;
        if self.is_empty() {
            self.clear();
        } else if self.written >= SPARE_BYTES_MAX {
            // The buffer of a slow reader must not grow by bytes that it has read already.
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Discards the unwritten bytes, and returns the buffer to its thread.
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
    fn pending_bytes_of_a_slow_reader_take_at_most_one_step_more() {
        let mut pending = Pending::default();
        for frame in [[b'x'; 100]].repeat(3_000) {
            pending.end(frame.len()).extend_from_slice(&frame);
            let waiting = pending.unwritten().len();
            assert!(pending.bytes.capacity() <= waiting.max(SPARE_BYTES_MAX) + SPARE_BYTES_MAX);
        }
    }
}
