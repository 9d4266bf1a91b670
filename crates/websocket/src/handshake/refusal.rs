//! The reasons to refuse a request, and the response for each.

/// The fields that a request for an upgrade needs.
const UPGRADE_FIELDS: &str =
    "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";

/// A fault in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// This is not HTTP.
    #[error("malformed request: {0}")]
    Malformed(httparse::Error),
    /// A line that ends with a line feed alone: RFC 9112, section 2.2, lets us take it for an end,
    /// and lets a proxy before us not do so.
    #[error("line feed without a carriage return")]
    BareLineFeed,
    /// The head is over the [`HeadLimits`](crate::HeadLimits).
    #[error("request head too large")]
    HeadTooLarge,
    /// An HTTP/1.1 request without `Host`, or any request with two: a proxy may have used either
    /// (RFC 9112, section 3.2).
    #[error("not exactly one Host")]
    HostNotUnique,
    /// The request has, or may have, a body. Our resources take no body, and the bytes behind the
    /// head could be read as frames or as another request.
    #[error("request with a body")]
    Body,
    /// A request for the WebSocket resource that does not ask for the upgrade as HTTP/1.1 has it.
    #[error("not a WebSocket upgrade")]
    NotAnUpgrade,
    /// `Sec-WebSocket-Version` is not 13.
    #[error("unsupported WebSocket version")]
    UnsupportedVersion,
    /// `Sec-WebSocket-Key` is missing, there are two, or it is not the base64 of 16 bytes.
    #[error("invalid Sec-WebSocket-Key")]
    InvalidKey,
}

impl RequestError {
    /// The HTTP status code.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotAnUpgrade | Self::UnsupportedVersion => 426,
            Self::HeadTooLarge => 431,
            Self::Malformed(_)
            | Self::BareLineFeed
            | Self::HostNotUnique
            | Self::Body
            | Self::InvalidKey => 400,
        }
    }

    /// Appends the whole response to `out`; the connection is to be closed after it.
    pub fn write_response(&self, out: &mut Vec<u8>) {
        // RFC 9110, section 15.5.22, and RFC 6455, section 4.4: a 426 names the protocol and
        // version to use.
        let (status_line, fields) = match self.status() {
            426 => ("426 Upgrade Required", UPGRADE_FIELDS),
            431 => ("431 Request Header Fields Too Large", "Connection: close\r\n"),
            _ => ("400 Bad Request", "Connection: close\r\n"),
        };
        let reason = self.to_string();
        let length = reason.len() + 1;
        let response = format!(
            "HTTP/1.1 {status_line}\r\n{fields}\
             Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{reason}\n"
        );
        out.extend_from_slice(response.as_bytes());
    }
}
