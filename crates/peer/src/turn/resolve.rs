//! Addresses of a name, in the order in which they are tried.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

/// The time for the system to look up a name.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried: two of each IP version, as a rule.
const ADDRESSES_MAX: usize = 4;

/// Looks up a name. Empty if it has no address, or no answer came in time.
pub(crate) async fn addresses(host: &str, port: u16) -> Vec<SocketAddr> {
    match timeout(LOOKUP_TIMEOUT, lookup_host((host, port))).await {
        Ok(Ok(found)) => in_turn(found.collect()),
        _ => Vec::new(),
    }
}

/// Takes one of each IP version in turn, as the system sorted them (RFC 8305 section 4): if one
/// version does not work here, the second address is of the other one.
fn in_turn(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_ipv4 = found.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|address| address.is_ipv4() == first_is_ipv4);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    while ordered.len() < ADDRESSES_MAX {
        let before = ordered.len();
        ordered.extend(first.next());
        ordered.extend(second.next());
        if ordered.len() == before {
            break;
        }
    }
    ordered.truncate(ADDRESSES_MAX);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_order(found: &[&str], expected: &[&str]) {
        let parse = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert_eq!(in_turn(parse(found)), parse(expected));
    }

    #[test]
    fn ip_versions_take_turns_and_addresses_are_bounded() {
        let [a, b, c] = ["[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1"];
        let [x, y, z] = ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"];
        assert_order(&[a, b, c, x, y, z], &[a, x, b, y]);
        assert_order(&[x, y, a], &[x, a, y]);
        assert_order(&[x, y, z], &[x, y, z]);
        assert_order(&[], &[]);
    }

    #[tokio::test]
    async fn an_address_is_its_own_name_and_a_name_without_one_is_empty() {
        assert_eq!(addresses("192.0.2.1", 7).await, ["192.0.2.1:7".parse().unwrap()]);
        assert_eq!(addresses("no such name", 7).await, []);
    }
}
