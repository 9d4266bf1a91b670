//! The server's address, taken apart.

use std::net::Ipv6Addr;

use tokio_tungstenite::tungstenite::http::Uri;

use super::ConnectError;

/// A `ws:` or `wss:` address (RFC 6455 section 3).
#[derive(Clone)]
pub(crate) struct Address {
    pub(super) uri: Uri,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, ConnectError> {
        let uri: Uri = url.parse().map_err(|_| ConnectError::Address)?;
        let tls = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err(ConnectError::Address),
        };
        let host = uri.host().ok_or(ConnectError::Address)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let names_port = authority.rsplit(['@', ']']).next().is_some_and(|end| end.contains(':'));
        if names_port && uri.port_u16().is_none() {
            return Err(ConnectError::Address);
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { uri, host, port, tls })
    }

    /// `HOST:PORT`, the same however the address is written: it identifies the server.
    pub(crate) fn server(&self) -> String {
        match self.host.parse::<Ipv6Addr>() {
            Ok(host) => format!("[{host}]:{}", self.port),
            Err(_) => format!("{}:{}", self.host.to_ascii_lowercase(), self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_follows_the_scheme() {
        let plain = Address::parse("ws://example.net/signal").unwrap();
        assert_eq!((plain.host.as_str(), plain.port, plain.tls), ("example.net", 80, false));
        let secure = Address::parse("wss://[::1]/signal").unwrap();
        assert_eq!((secure.host.as_str(), secure.port, secure.tls), ("::1", 443, true));
        assert_eq!(Address::parse("wss://a:8443").unwrap().port, 8443);
    }

    #[test]
    fn a_server_is_called_the_same_however_its_address_is_written() {
        for (url, server) in [
            ("wss://Example.NET/signal", "example.net:443"),
            ("ws://example.net:443", "example.net:443"),
            ("ws://[0:0::1]:8080/", "[::1]:8080"),
            ("ws://127.0.0.1/", "127.0.0.1:80"),
        ] {
            assert_eq!(Address::parse(url).unwrap().server(), server);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for url in [
            "",
            "example.net",
            "http://example.net/",
            "ws:///signal",
            "ws://a b/",
            "ws://a:99999/",
            "wss://[::1]:x/",
        ] {
            assert!(matches!(Address::parse(url), Err(ConnectError::Address)), "{url}");
        }
    }
}
