//! The reasons why connections to the public port are not upgraded, with their names in metrics.

use securecall_core::Refusal;
use securecall_websocket::RequestError;

/// The reason why a connection was not upgraded. Each such connection has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The address has too many requests in progress. Reset without an answer.
    RequestsFull,
    /// The address starts TLS handshakes too fast. Reset without an answer.
    HandshakesTooFast,
    /// Others were waiting, and this one had had its fair time. Closed without an answer.
    MadeRoom,
    /// The handshake and the request head took too long. Closed without an answer.
    TimedOut,
    /// The client left before its head was complete, or did not read the response.
    Gone,
    /// The TLS handshake failed. The client got an alert.
    TlsFailed,
    /// Plain HTTP on a port that expects TLS (400).
    NotTls,
    /// A PROXY protocol header, which is not enabled here (400).
    ProxyHeader,
    /// No PROXY protocol header from a trusted proxy, or an invalid one (400).
    ProxyHeaderMissing,
    /// The PROXY protocol is enabled, and the peer is no trusted proxy. Reset without an answer.
    UntrustedPeer,
    /// Not HTTP (400).
    Malformed,
    /// A line of the head ends with a line feed alone (400).
    BareLineFeed,
    /// No `Host`, or two (400).
    HostNotUnique,
    /// A request with a body (400).
    Body,
    /// `Sec-WebSocket-Key` is missing or wrong (400).
    InvalidKey,
    /// The request head has too many bytes or fields (431).
    HeadTooLarge,
    /// Unknown path (404).
    NotFound,
    /// A method other than GET and HEAD (405).
    MethodNotAllowed,
    /// `/signal` without an upgrade to WebSocket (426).
    NotAnUpgrade,
    /// A WebSocket version other than 13 (426).
    UnsupportedVersion,
    /// The server is draining (503).
    Draining,
    /// The server has its maximum of connections (503).
    ServerFull,
    /// The address has its maximum of connections (429).
    AddressFull,
    /// The address opens connections too fast (429).
    TooFast,
}

impl Refused {
    pub(crate) const ALL: [Self; 24] = [
        Self::RequestsFull,
        Self::HandshakesTooFast,
        Self::MadeRoom,
        Self::TimedOut,
        Self::Gone,
        Self::TlsFailed,
        Self::NotTls,
        Self::ProxyHeader,
        Self::ProxyHeaderMissing,
        Self::UntrustedPeer,
        Self::Malformed,
        Self::BareLineFeed,
        Self::HostNotUnique,
        Self::Body,
        Self::InvalidKey,
        Self::HeadTooLarge,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAnUpgrade,
        Self::UnsupportedVersion,
        Self::Draining,
        Self::ServerFull,
        Self::AddressFull,
        Self::TooFast,
    ];

    /// Returns the value of the metrics label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RequestsFull => "requests_full",
            Self::HandshakesTooFast => "handshakes_too_fast",
            Self::MadeRoom => "made_room",
            Self::TimedOut => "timed_out",
            Self::Gone => "gone",
            Self::TlsFailed => "tls_failed",
            Self::NotTls => "not_tls",
            Self::ProxyHeader => "proxy_header",
            Self::ProxyHeaderMissing => "proxy_header_missing",
            Self::UntrustedPeer => "untrusted_peer",
            Self::Malformed => "malformed",
            Self::BareLineFeed => "bare_line_feed",
            Self::HostNotUnique => "host_not_unique",
            Self::Body => "body",
            Self::InvalidKey => "invalid_key",
            Self::HeadTooLarge => "head_too_large",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotAnUpgrade => "not_an_upgrade",
            Self::UnsupportedVersion => "unsupported_version",
            Self::Draining => "draining",
            Self::ServerFull => "server_full",
            Self::AddressFull => "address_full",
            Self::TooFast => "too_fast",
        }
    }
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Malformed(_) => Self::Malformed,
            RequestError::BareLineFeed => Self::BareLineFeed,
            RequestError::HeadTooLarge => Self::HeadTooLarge,
            RequestError::HostNotUnique => Self::HostNotUnique,
            RequestError::Body => Self::Body,
            RequestError::NotAnUpgrade => Self::NotAnUpgrade,
            RequestError::UnsupportedVersion => Self::UnsupportedVersion,
            RequestError::InvalidKey => Self::InvalidKey,
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::ServerFull => Self::ServerFull,
            Refusal::AddressFull => Self::AddressFull,
            Refusal::TooFast { .. } => Self::TooFast,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_reason_has_a_place_and_a_label_of_its_own() {
        for (place, why) in Refused::ALL.into_iter().enumerate() {
            assert_eq!(why as usize, place, "{}", why.as_str());
        }
        let labels: HashSet<_> = Refused::ALL.map(Refused::as_str).into();
        assert_eq!(labels.len(), Refused::ALL.len());
    }
}
