//! The bounds that the document names.

/// The largest message, in bytes: the server's default for `limits.message_bytes_max`.
pub const MESSAGE_BYTES_MAX: u64 = 64 * 1024;
/// The longest public key, in bytes of JSON without the quotes: the default of
/// `directory.key_bytes_max`.
pub const KEY_BYTES_MAX: u64 = 4096;
/// The longest `id` of a request, in characters.
pub const REQUEST_ID_CHARS_MAX: u64 = 64;
/// The bound of calls that a REGISTER may present.
pub const PRESENTED_MAX: u64 = 64;
/// The longest call id, in characters.
pub const CALL_ID_CHARS_MAX: u64 = 240;
/// The largest number: what a double holds exactly (2^53 − 1), because clients read JSON as that.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;
