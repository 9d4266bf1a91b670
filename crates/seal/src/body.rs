//! Texts inside sealed bodies, and the padding behind them.
//!
//! ```text
//! … │ length u32 │ text (UTF-8) │ … │ zeros, up to the next multiple of 256 bytes
//! ```
//!
//! A candidate's length would distinguish a local address from a relayed one, and IPv4 from IPv6.
//! With the padding nearly all candidates are equally long.

use securecall_identity::notation::Cursor;

use crate::Error;

/// The longest text that is sealed, in bytes: 40 KiB. Sealed and encoded it is at most 57 KiB, so
/// that it fits a signaling message of 64 KiB.
pub const TEXT_BYTES_MAX: usize = 40 * 1024;

/// The length of a body is a multiple of this.
const STEP_BYTES: usize = 256;

/// More than a body needs besides its text, so that secrets are not left behind by growing.
const ROOM_BYTES: usize = 2048;

pub(crate) fn with_room_for(text: &str) -> Vec<u8> {
    Vec::with_capacity(text.len() + ROOM_BYTES)
}

pub(crate) const fn check_text(text: &str) -> Result<(), Error> {
    if text.len() > TEXT_BYTES_MAX { Err(Error::TextTooLong(text.len())) } else { Ok(()) }
}

/// Appends a text that [`check_text`] found short enough.
pub(crate) fn put_text(body: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(text.as_bytes());
}

/// The next text's bytes. `None` if it is cut off.
pub(crate) fn take_text<'a>(body: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = body.u32()?;
    body.take(usize::try_from(length).ok()?)
}

pub(crate) fn as_text(bytes: &[u8]) -> Result<String, Error> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Error::Content)
}

pub(crate) fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(STEP_BYTES), 0);
}

/// Checks the end of a body: exactly as many zeros as its length requires.
pub(crate) fn check_padding(body_bytes: usize, end: Cursor<'_>) -> Result<(), Error> {
    let zeros = end.rest();
    let exact = (body_bytes - zeros.len()).next_multiple_of(STEP_BYTES) == body_bytes;
    (exact && zeros.iter().all(|&byte| byte == 0)).then_some(()).ok_or(Error::Content)
}
