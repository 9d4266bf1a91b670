//! One read buffer for each thread, lent for the time of a read. An idle connection has none.

use std::cell::RefCell;

/// The largest message and its frame header fit at once with the default limits, and a burst of
/// candidates is one read.
const READ_BUFFER_BYTES: usize = 128 * 1024;

thread_local! {
    static BUFFER: RefCell<Option<Box<[u8]>>> = const { RefCell::new(None) };
}

/// Lends this thread's buffer.
pub(crate) fn with<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    // Taken out while it is lent: a read within a read would get a buffer of its own.
    let mut buffer = BUFFER.take().unwrap_or_else(|| vec![0; READ_BUFFER_BYTES].into());
    let result = read(&mut buffer);
    BUFFER.set(Some(buffer));
    result
}
