//! Read buffers, one of each kind for each thread, lent for the duration of a read. An idle
//! connection holds none.

use std::cell::RefCell;

/// The size of the buffer: the largest message with its frame header fits at the default limits,
/// and a burst of candidates is one read.
const READ_BUFFER_BYTES: usize = 128 * 1024;

thread_local! {
    static BUFFER: RefCell<Option<Box<[u8]>>> = const { RefCell::new(None) };
    static PLAINTEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Calls `read` with this thread's buffer.
pub(crate) fn with<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    // Taken out while in use: a nested read would allocate its own.
    let mut buffer = BUFFER.take().unwrap_or_else(|| vec![0; READ_BUFFER_BYTES].into());
    let result = read(&mut buffer);
    BUFFER.set(Some(buffer));
    result
}

/// Calls `decrypt` with this thread's plaintext buffer, empty. Plaintext is never longer than what
/// was read.
pub(crate) fn with_plaintext<T>(decrypt: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut plaintext = PLAINTEXT.take();
    let result = decrypt(&mut plaintext);
    plaintext.clear();
    PLAINTEXT.set(plaintext);
    result
}
