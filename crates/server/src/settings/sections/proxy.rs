//! `[proxy]`: the source of a client's address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::settings::{List, defaults};

/// The proxies in front of the server, and how they send the client's address.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Proxy {
    /// Networks of the proxies in front; a client's address is read from their headers only
    #[arg(id = "proxy.trusted", long = "trusted-proxies", value_name = "CIDR,...")]
    #[arg(default_value_t, hide_default_value = true)]
    pub trusted: List<Network>,

    /// Header in which they send it, read from the right
    #[arg(id = "proxy.header", long = "client-address-header", value_name = "NAME")]
    #[arg(default_value = defaults::CLIENT_ADDRESS_HEADER)]
    pub header: HeaderName,

    /// Require a PROXY protocol header, version 1 or 2, of a trusted proxy at the start of each
    /// connection
    #[arg(id = "proxy.protocol", long = "proxy-protocol", value_name = "SWITCH")]
    #[arg(value_enum, default_value_t = ProxyProtocol::Off)]
    pub protocol: ProxyProtocol,
}

/// The use of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ProxyProtocol {
    /// A connection begins with the client's bytes.
    Off,
    /// A connection begins with the proxy's header, or is refused.
    On,
}

/// The header to which each proxy appends an address, so that a client can forge the first ones.
const FORWARDED_FOR: &str = "x-forwarded-for";

impl Proxy {
    /// Returns a trusted network that contains every address, if the header is one that clients can
    /// forge: then any client could choose its address.
    pub(crate) fn everybody(&self) -> Option<Network> {
        let is_everybody = |network: &&Network| network.0.prefix_len() == 0;
        let found = self.trusted.iter().find(is_everybody).copied();
        found.filter(|_| self.header.as_str() == FORWARDED_FOR)
    }
}

/// A network, `ADDRESS/BITS`; a single address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Returns the network.
    #[must_use]
    pub const fn net(self) -> IpNet {
        self.0
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
        text.parse().ok().or_else(address).map(Self).ok_or(InvalidNetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An error: the text is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be networks or addresses, such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32")]
pub struct InvalidNetwork;

/// The name of an HTTP header, in lower case (RFC 9110, 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName(String);

impl HeaderName {
    /// Returns the name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderName {
    type Err = InvalidHeaderName;

    fn from_str(text: &str) -> Result<Self, InvalidHeaderName> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        // `Forwarded` (RFC 7239) has a grammar of its own, which is not implemented.
        let readable = !text.eq_ignore_ascii_case("forwarded");
        let usable = !text.is_empty() && text.bytes().all(is_token) && readable;
        usable.then(|| Self(text.to_ascii_lowercase())).ok_or(InvalidHeaderName)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error: the text is not the name of a usable header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the name of an HTTP header that holds addresses, such as x-real-ip (not forwarded)"
)]
pub struct InvalidHeaderName;
