//! The server's side of the handshake.

use httparse::{EMPTY_HEADER, Header, Status};

use super::accept::{UpgradeKey, accept_key};
use super::head::{HeadLimits, VERSION, has_token, only_value, values};
use super::refusal::RequestError;

/// The head of an HTTP request that is well-formed, has no body and one `Host`.
#[derive(Clone, Debug)]
pub struct Request<'b> {
    method: &'b str,
    target: &'b str,
    /// The minor version of HTTP/1.
    version: u8,
    headers: Vec<Header<'b>>,
}

/// Parses the head of a request at the front of `bytes`. Returns `None` while it is incomplete.
///
/// Returns the request with the length of its head in bytes. What follows the head is already the
/// first frames.
///
/// # Errors
/// What is wrong with the request as HTTP. Whether it asks for an upgrade is
/// [`Request::upgrade`]'s question.
pub fn parse_request(
    bytes: &[u8],
    limits: HeadLimits,
) -> Result<Option<(Request<'_>, usize)>, RequestError> {
    let window = &bytes[..bytes.len().min(limits.bytes_max)];
    let mut headers = vec![EMPTY_HEADER; limits.fields_max];
    let mut parsed = httparse::Request::new(&mut headers);
    let head_bytes = match parsed.parse(window) {
        Ok(Status::Complete(head_bytes)) => head_bytes,
        Ok(Status::Partial) if window.len() < limits.bytes_max => return Ok(None),
        Ok(Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Err(RequestError::HeadTooLarge);
        }
        Err(error) => return Err(RequestError::Malformed(error)),
    };
    check_line_ends(&window[..head_bytes])?;
    let method = parsed.method.unwrap_or_default();
    let target = origin_form(parsed.path.unwrap_or_default());
    let version = parsed.version.unwrap_or_default();
    let fields = parsed.headers.len();
    headers.truncate(fields);
    let request = Request { method, target, version, headers };
    request.check_host()?;
    request.check_no_body()?;
    Ok(Some((request, head_bytes)))
}

/// The target without scheme and authority, which a client may put before the path (RFC 9112,
/// section 3.2.2). Whom it names does not matter, as with `Host`.
fn origin_form(target: &str) -> &str {
    let Some((scheme, rest)) = target.split_once("://") else { return target };
    if !["http", "https", "ws", "wss"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return target;
    }
    rest.find(['/', '?']).map_or("/", |at| &rest[at..])
}

fn check_line_ends(head: &[u8]) -> Result<(), RequestError> {
    let lines = head.split_inclusive(|byte| *byte == b'\n');
    let ends_well = lines.into_iter().all(|line| line.ends_with(b"\r\n"));
    if ends_well { Ok(()) } else { Err(RequestError::BareLineFeed) }
}

impl<'b> Request<'b> {
    /// The method: `GET`, mostly.
    pub fn method(&self) -> &'b str {
        self.method
    }

    /// The path without the query, as it was sent: nothing is decoded. A target in absolute form
    /// has the same path as one in origin form.
    pub fn path(&self) -> &'b str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// The query, behind the `?`, if there is one.
    pub fn query(&self) -> Option<&'b str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The value of the only field with this name, in any case. `None` if there is no such field,
    /// if there are several, or if the value is not UTF-8.
    pub fn header(&self, name: &str) -> Option<&'b str> {
        only_value(&self.headers, name)
    }

    /// The values of all fields with this name, in any case, in their order.
    pub fn header_values<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = &'b [u8]> + use<'a, 'b> {
        values(&self.headers, name)
    }

    /// Checks that this asks for a WebSocket connection as RFC 6455, section 4.2.1, wants it.
    /// Extensions and subprotocols that it offers are not taken up.
    ///
    /// # Errors
    /// Why it does not.
    pub fn upgrade(&self) -> Result<UpgradeKey<'b>, RequestError> {
        let asked = self.method == "GET"
            && self.version == 1
            && has_token(&self.headers, "Upgrade", "websocket")
            && has_token(&self.headers, "Connection", "upgrade");
        if !asked {
            return Err(RequestError::NotAnUpgrade);
        }
        if self.header("Sec-WebSocket-Version") != Some(VERSION) {
            return Err(RequestError::UnsupportedVersion);
        }
        let key = self.header("Sec-WebSocket-Key").and_then(UpgradeKey::new);
        key.ok_or(RequestError::InvalidKey)
    }

    fn check_host(&self) -> Result<(), RequestError> {
        match (values(&self.headers, "Host").count(), self.version) {
            (1, _) | (0, 0) => Ok(()),
            _ => Err(RequestError::HostNotUnique),
        }
    }

    fn check_no_body(&self) -> Result<(), RequestError> {
        let empty = values(&self.headers, "Content-Length").all(|length| length == b"0");
        let encoded = values(&self.headers, "Transfer-Encoding").next().is_some();
        if empty && !encoded { Ok(()) } else { Err(RequestError::Body) }
    }
}

/// Writes the response that accepts the upgrade; frames may follow it at once.
pub fn write_switching_protocols(out: &mut Vec<u8>, key: UpgradeKey<'_>) {
    out.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\n\
          Upgrade: websocket\r\n\
          Connection: Upgrade\r\n\
          Sec-WebSocket-Accept: ",
    );
    out.extend_from_slice(accept_key(key.as_str()).as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
}
