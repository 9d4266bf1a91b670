//! Redirects and HTTP proxies, which are recognised on the way to a server and not supported. An
//! error names it, so that nobody has to guess.

use std::net::IpAddr;

use tokio_tungstenite::tungstenite::http::{HeaderMap, header::LOCATION};

/// The variables that programs take the address of an HTTP proxy from.
const PROXY_VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// Characters of an address that are shown.
const LOCATION_CHARS_MAX: usize = 200;

/// The target of a redirect, fit to be shown and to be given in place of the address. `None`: it
/// does not say.
pub(super) fn location(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let shown: String = location.chars().take(LOCATION_CHARS_MAX).collect();
    let shown = match shown.strip_prefix("http") {
        Some(rest) if rest.starts_with("://") || rest.starts_with("s://") => format!("ws{rest}"),
        _ => shown,
    };
    (!shown.is_empty()).then_some(shown)
}

/// The hint for a server that is not reached while the environment names a proxy. `None`: it names
/// none, or the server is on this machine, where no proxy is in between.
pub(super) fn unused_proxy(host: &str, is_set: impl Fn(&str) -> bool) -> Option<String> {
    let local = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let variable = PROXY_VARIABLES.into_iter().find(|name| is_set(name)).filter(|_| !local)?;
    Some(format!("{variable} names an HTTP proxy, and proxies are not supported"))
}

/// Returns whether a variable of the environment is set and not empty.
pub(super) fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_is_not_used_is_named_by_its_variable() {
        let said = unused_proxy("example.net", |name| name == "https_proxy").unwrap();
        assert!(said.starts_with("https_proxy names an HTTP proxy"), "{said}");
        assert_eq!(unused_proxy("example.net", |_| false), None);
        for local in ["localhost", "127.0.0.1", "::1"] {
            assert_eq!(unused_proxy(local, |_| true), None);
        }
    }
}
