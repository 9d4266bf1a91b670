//! Buffers for reading, one of each kind for each thread, lent for the time of a read. An idle
//! connection has none.

use std::cell::RefCell;

/// The largest message and its frame header fit at once with the default limits, and a burst of
/// candidates is one read.
const READ_BUFFER_BYTES: usize = 128 * 1024;

thread_local! {
    static BUFFER: RefCell<Option<Box<[u8]>>> = const { RefCell::new(None) };
    static PLAINTEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends this thread's buffer.
pub(crate) fn with<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    // Taken out while it is lent: a read within a read would get a buffer of its own.
    let mut buffer = BUFFER.take().unwrap_or_else(|| vec![0; READ_BUFFER_BYTES].into());
    let result = read(&mut buffer);
    BUFFER.set(Some(buffer));
    result
}

/// Lends this thread's buffer for what was decrypted, empty. It is never more than was read.
pub(crate) fn with_plaintext<T>(decrypt: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut plaintext = PLAINTEXT.take();
    let result = decrypt(&mut plaintext);
    plaintext.clear();
    PLAINTEXT.set(plaintext);
    result
}
