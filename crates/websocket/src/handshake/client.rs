//! The client's side of the handshake.

use httparse::{EMPTY_HEADER, Header, Status};

use super::accept::{Nonce, accept_key, key_of};
use super::head::{HeadLimits, VERSION, has_token, only_value, values};

/// A host, path or header field that would break out of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("space or control character in a host, path or header field")]
pub struct UnsafeHeader;

/// A fault in a server's response (RFC 6455, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// This is not HTTP.
    #[error("malformed response: {0}")]
    Malformed(httparse::Error),
    /// The head is over the default [`HeadLimits`].
    #[error("response head too large")]
    HeadTooLarge,
    /// The server did not switch protocols; it answered with this status.
    #[error("status {0} instead of 101")]
    Refused(u16),
    /// `Upgrade: websocket` or `Connection: Upgrade` is missing.
    #[error("101 without the upgrade to WebSocket")]
    NotAnUpgrade,
    /// `Sec-WebSocket-Accept` does not answer our key.
    #[error("wrong Sec-WebSocket-Accept")]
    WrongAccept,
    /// The server chose an extension or a subprotocol that we did not offer.
    #[error("extension or subprotocol that was not offered")]
    NotOffered,
}

/// Writes the request for an upgrade. `host` has the port if it is not the scheme's own; `headers`
/// are further fields (`Origin`, `Authorization`).
///
/// # Errors
/// Nothing is written if a part would break out of its line.
pub fn write_request(
    out: &mut Vec<u8>,
    host: &str,
    path: &str,
    nonce: &Nonce,
    headers: &[(&str, &str)],
) -> Result<(), UnsafeHeader> {
    let words = headers.iter().map(|(name, _)| *name).chain([host, path]);
    let safe = words.into_iter().all(is_word) && headers.iter().all(|(_, v)| is_one_line(v));
    if !safe {
        return Err(UnsafeHeader);
    }
    let key = key_of(nonce);
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: {VERSION}\r\nSec-WebSocket-Key: {key}\r\n"
    );
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    out.extend_from_slice(request.as_bytes());
    Ok(())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_one_line(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_control())
}

/// Parses and checks the response to [`write_request`] at the front of `bytes`. Returns `None`
/// while its head is incomplete.
///
/// Returns the length of the head in bytes. What follows it is already the first frames.
///
/// # Errors
/// Why this is no WebSocket connection.
pub fn parse_response(bytes: &[u8], nonce: &Nonce) -> Result<Option<usize>, ResponseError> {
    let limits = HeadLimits::default();
    let window = &bytes[..bytes.len().min(limits.bytes_max)];
    let mut headers = vec![EMPTY_HEADER; limits.fields_max];
    let mut parsed = httparse::Response::new(&mut headers);
    let head_bytes = match parsed.parse(window) {
        Ok(Status::Complete(head_bytes)) => head_bytes,
        Ok(Status::Partial) if window.len() < limits.bytes_max => return Ok(None),
        Ok(Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Err(ResponseError::HeadTooLarge);
        }
        Err(error) => return Err(ResponseError::Malformed(error)),
    };
    match parsed.code {
        Some(101) => check_switch(parsed.headers, nonce).map(|()| Some(head_bytes)),
        status => Err(ResponseError::Refused(status.unwrap_or_default())),
    }
}

fn check_switch(headers: &[Header<'_>], nonce: &Nonce) -> Result<(), ResponseError> {
    let upgraded =
        has_token(headers, "Upgrade", "websocket") && has_token(headers, "Connection", "upgrade");
    if !upgraded {
        return Err(ResponseError::NotAnUpgrade);
    }
    let accept = accept_key(&key_of(nonce));
    if only_value(headers, "Sec-WebSocket-Accept") != Some(accept.as_str()) {
        return Err(ResponseError::WrongAccept);
    }
    let chosen = ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"]
        .into_iter()
        .any(|name| values(headers, name).next().is_some());
    if chosen { Err(ResponseError::NotOffered) } else { Ok(()) }
}
