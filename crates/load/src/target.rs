//! The server under load, found by its URL, and the check that it may be put under load.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// A server by its WebSocket URL, resolved and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    address: SocketAddr,
    /// For the `Host` field.
    host: String,
    /// With the query.
    path: String,
    tls: bool,
}

/// A reason to put no load on a URL.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It is not a `ws://` or `wss://` URL.
    #[error("{0:?} is not a URL such as ws://127.0.0.1:8080/signal")]
    NotAUrl(String),
    /// Its name has no address.
    #[error("cannot resolve {host}: {source}")]
    Unresolved {
        /// Host and port.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// One of its addresses is not loopback or private.
    #[error(
        "{host} has the public address {address}: a load test of a server that is not yours is an \
         attack. If it is yours, add --i-own-this-server"
    )]
    Public {
        /// Host and port.
        host: String,
        /// The first address that is public.
        address: IpAddr,
    },
}

impl Target {
    /// Resolves `url` and checks every address of its name, whichever is used then. Loopback,
    /// private and link-local addresses are fine; `own_server` allows all others.
    ///
    /// # Errors
    /// [`TargetError`] gives the reason.
    pub fn resolve(url: &str, own_server: bool) -> Result<Self, TargetError> {
        let (tls, host, path) = split(url).ok_or_else(|| TargetError::NotAUrl(url.to_owned()))?;
        let port = if tls { ":443" } else { ":80" };
        let with_port = format!("{host}{}", if has_port(host) { "" } else { port });
        let unresolved = |source| TargetError::Unresolved { host: host.to_owned(), source };
        let addresses: Vec<_> = with_port.to_socket_addrs().map_err(unresolved)?.collect();
        let public = addresses.iter().map(SocketAddr::ip).find(|address| !is_local(*address));
        match (public, addresses.first()) {
            (Some(address), _) if !own_server => {
                Err(TargetError::Public { host: host.to_owned(), address })
            }
            (_, Some(address)) => {
                Ok(Self { address: *address, host: host.to_owned(), path: path.to_owned(), tls })
            }
            (_, None) => Err(unresolved(io::ErrorKind::NotFound.into())),
        }
    }

    /// The address to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Host and port as they stand in the URL.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host without the port, and an IPv6 address without its brackets.
    pub fn name(&self) -> &str {
        let name = if has_port(&self.host) { self.host.rsplit_once(':') } else { None };
        let name = name.map_or(self.host(), |(name, _)| name);
        name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
    }

    /// Returns true for `wss://`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Path and query as they stand in the URL.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Splits a URL: true if encrypted, host with port, path with query.
fn split(url: &str) -> Option<(bool, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let tls = match scheme {
        "ws" => false,
        "wss" => true,
        _ => return None,
    };
    let path_at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(path_at);
    let usable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let complete = !host.is_empty() && !host.contains(['@', '?', '#']) && !path.contains('#');
    let path = if path.is_empty() { "/" } else { path };
    (complete && usable(host) && usable(path)).then_some((tls, host, path))
}

/// `[::1]` has colons and no port.
fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// Returns true for loopback, private and link-local addresses.
fn is_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || is_shared(v4)
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// RFC 6598: behind a carrier's NAT, and in some clouds' private networks.
fn is_shared(address: Ipv4Addr) -> bool {
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10).contains(&address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_private_addresses_are_fine() {
        for host in [
            "127.0.0.1:9",
            "127.9.8.7",
            "10.1.2.3:80",
            "172.31.0.1:1",
            "192.168.1.1",
            "[::1]:8080",
            "[::1]",
            "[fd00::1]:80",
            "[fe80::1]:80",
            "169.254.1.1",
            "100.127.0.1",
            "[::ffff:10.0.0.1]:1",
        ] {
            let target = Target::resolve(&format!("ws://{host}/signal"), false);
            assert!(target.is_ok(), "{host}: {target:?}");
        }
    }

    #[test]
    fn public_addresses_are_refused_unless_the_server_is_ones_own() {
        for host in [
            "8.8.8.8:80",
            "172.32.0.1",
            "192.169.0.1",
            "100.128.0.1",
            "0.0.0.0:80",
            "[2001:4860:4860::8888]:80",
            "[::ffff:8.8.8.8]:80",
            "[::]:80",
        ] {
            let url = format!("ws://{host}/signal");
            let refused = Target::resolve(&url, false);
            assert!(matches!(refused, Err(TargetError::Public { .. })), "{host}: {refused:?}");
            assert!(Target::resolve(&url, true).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target = Target::resolve("ws://127.0.0.1:81/peerjs?key=x", false).unwrap();
        assert_eq!(target.address(), "127.0.0.1:81".parse().unwrap());
        assert_eq!((target.host(), target.path()), ("127.0.0.1:81", "/peerjs?key=x"));
        let target = Target::resolve("ws://[::1]", false).unwrap();
        assert_eq!(target.address(), "[::1]:80".parse().unwrap());
        assert_eq!((target.path(), target.name(), target.is_tls()), ("/", "::1", false));
        let target = Target::resolve("wss://127.0.0.1/signal", false).unwrap();
        assert_eq!(target.address(), "127.0.0.1:443".parse().unwrap());
        assert_eq!((target.name(), target.is_tls()), ("127.0.0.1", true));
    }

    #[test]
    fn an_invalid_url_is_refused() {
        for url in [
            "",
            "127.0.0.1",
            "http://127.0.0.1/",
            "wss:/x",
            "ws://",
            "ws:///x",
            "ws://u@127.0.0.1/",
            "ws://127.0.0.1/a b",
            "ws://127.0.0.1/#x",
            "ws://127.0.0.1\r\n/",
        ] {
            let refused = Target::resolve(url, false);
            assert!(matches!(refused, Err(TargetError::NotAUrl(_))), "{url}: {refused:?}");
        }
    }
}
