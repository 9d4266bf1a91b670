//! The server that a proof is made for, in one spelling.
//!
//! ```text
//! origin = ( "wss://" or "ws://" ) host [ ":" port ]
//! ```
//!
//! It is the `origin` that a URL of this server has by the WHATWG's URL standard: lower case, no
//! default port, IPv4 as four decimal numbers, IPv6 in brackets as RFC 5952 has it. A host is ASCII;
//! names in other scripts come as Punycode.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Refusal;

/// The longest origin, in bytes: its length is one byte in a transcript.
const ORIGIN_BYTES_MAX: usize = 255;
/// The longest name (RFC 1035), and the longest of its parts.
const NAME_BYTES_MAX: usize = 253;
const NAME_PART_BYTES_MAX: usize = 63;

/// The origin of a signaling server, in its canonical spelling.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

impl Origin {
    /// Takes an origin in its canonical spelling: what is configured, or in a test vector.
    ///
    /// # Errors
    /// As [`Origin::of_url`], and [`Refusal::OriginNotCanonical`] after those.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let origin = Self::of_url(text)?;
        if origin.as_str() == text { Ok(origin) } else { Err(Refusal::OriginNotCanonical) }
    }

    /// The origin of a URL that a client dials; its path is left out.
    ///
    /// # Errors
    /// [`Refusal::OriginScheme`], [`Refusal::OriginHost`], [`Refusal::OriginPort`],
    /// [`Refusal::TextTooLong`]; in this order.
    pub fn of_url(url: &str) -> Result<Self, Refusal> {
        let (scheme, rest) = url.split_once("://").ok_or(Refusal::OriginScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "wss" => 443,
            "ws" => 80,
            _ => return Err(Refusal::OriginScheme),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            // A user's name and password are no part of an origin; whoever wrote them meant something else.
            return Err(Refusal::OriginHost);
        }
        let (host, port) = split_port(authority);
        let host = canonical_host(host).ok_or(Refusal::OriginHost)?;
        let port = port.map(parse_port).transpose()?.filter(|&port| port != default_port);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{scheme}://{host}{port}");
        if origin.len() > ORIGIN_BYTES_MAX {
            return Err(Refusal::TextTooLong);
        }
        Ok(Self(origin.into_boxed_str()))
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Host and port. Colons inside brackets belong to the host.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => {
            (&authority[..colon], Some(&authority[colon + 1..]))
        }
        _ => (authority, None),
    }
}

fn parse_port(digits: &str) -> Result<u16, Refusal> {
    // `u16::from_str` takes a plus sign, and the same number in several spellings.
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    let port = digits.parse().ok().filter(|_| plain);
    port.ok_or(Refusal::OriginPort)
}

fn canonical_host(host: &str) -> Option<String> {
    if let Some(address) = host.strip_prefix('[') {
        return canonical_ipv6(address.strip_suffix(']')?);
    }
    let name = host.to_ascii_lowercase();
    let last_part = name.rsplit('.').next().unwrap_or_default();
    // Browsers take what ends in a number for an IPv4 address, in many spellings. One is enough.
    if is_number(last_part) {
        return name.parse::<Ipv4Addr>().ok().map(|address| address.to_string());
    }
    let valid = name.len() <= NAME_BYTES_MAX && name.split('.').all(is_name_part);
    valid.then_some(name)
}

fn canonical_ipv6(text: &str) -> Option<String> {
    let address: Ipv6Addr = text.parse().ok()?;
    // The spelling of a mapped address differs between languages. It has one as IPv4.
    address.to_ipv4_mapped().is_none().then(|| format!("[{address}]"))
}

fn is_number(part: &str) -> bool {
    let decimal = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    decimal || part.strip_prefix("0x").is_some_and(hexadecimal)
}

fn is_name_part(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=NAME_PART_BYTES_MAX).contains(&part.len())
        && part.bytes().all(allowed)
        && !part.starts_with('-')
        && !part.ends_with('-')
}
