//! Ids and origins.

use securecall_identity::{Id, Origin};
use serde_json::{Value, json};

use super::{agreed, result_name, with};
use crate::{fixtures::Maker, raw::hex};

pub(super) fn ids() -> Value {
    let certified = Maker::certified().id;
    let last = certified.chars().last().unwrap();
    // The last character has four bits of the digest; the two below are zero in its one spelling.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap();
    let other = format!("{}{}", &certified[..45], &alphabet[place + 1..place + 2]);
    let longest = "a".repeat(64);
    let cases = [
        ("plain", "alice", "accepted"),
        ("every kind of character", "Az09_-", "accepted"),
        ("one character", "-", "accepted"),
        ("64 characters", &longest, "accepted"),
        ("certified", &certified, "accepted"),
        ("another case is a plain id", "SC-alice", "accepted"),
        ("without the hyphen it is a plain id", "scalice", "accepted"),
        ("empty", "", "id_malformed"),
        ("65 characters", &(longest.clone() + "a"), "id_malformed"),
        ("a blank", "alice b", "id_malformed"),
        ("a line break at the end", "alice\n", "id_malformed"),
        ("another script", "аlice", "id_malformed"),
        ("a digit of another script", "alice٣", "id_malformed"),
        ("a name after the prefix", "sc-alice", "id_reserved"),
        ("the prefix alone", "sc-", "id_reserved"),
        ("a second spelling of the digest", &other, "id_reserved"),
        ("one character too few", &certified[..45], "id_reserved"),
        ("one character too many", &format!("{certified}A"), "id_reserved"),
        ("padding", &format!("{certified}="), "id_malformed"),
        ("base64 and not base64url", &format!("sc-{}+", &certified[3..45]), "id_malformed"),
    ];
    json!({ "ids": cases.map(|(name, id, expected)| id_case(name, id, expected)) })
}

fn id_case(name: &str, text: &str, expected: &str) -> Value {
    let found = Id::parse(text);
    let case = agreed(name, result_name(&found), expected);
    let case = with(case, json!({ "id": text }));
    match found.ok().and_then(|id| id.fingerprint()) {
        Some(fingerprint) => with(
            case,
            json!({
                "digest": hex(fingerprint.as_digest()),
                "fingerprint": fingerprint.to_string(),
            }),
        ),
        None => case,
    }
}

pub(super) fn origins() -> Value {
    let urls = urls().map(|(name, url, expected)| url_case(&name, &url, &expected));
    json!({ "origins": origin_cases(), "urls": urls.collect::<Vec<_>>() })
}

fn origin_cases() -> Vec<Value> {
    let cases = [
        ("a name", "wss://signal.example.org", "accepted"),
        ("a port", "wss://signal.example.org:8443", "accepted"),
        ("without TLS", "ws://localhost:8080", "accepted"),
        ("IPv4", "ws://127.0.0.1:8080", "accepted"),
        ("IPv6", "wss://[2001:db8::1]:8443", "accepted"),
        ("a path", "wss://signal.example.org/signal", "origin_not_canonical"),
        ("a slash at the end", "wss://signal.example.org/", "origin_not_canonical"),
        ("upper case", "wss://Signal.example.org", "origin_not_canonical"),
        ("the scheme in upper case", "WSS://signal.example.org", "origin_not_canonical"),
        ("the default port", "wss://signal.example.org:443", "origin_not_canonical"),
        ("IPv6 in a long spelling", "wss://[2001:db8:0:0:0:0:0:1]", "origin_not_canonical"),
        ("https", "https://signal.example.org", "origin_scheme"),
        ("no scheme", "signal.example.org", "origin_scheme"),
        ("empty", "", "origin_scheme"),
    ];
    let case = |(name, text, expected)| {
        let found = Origin::parse(text);
        with(agreed(name, result_name(&found), expected), json!({ "origin": text }))
    };
    cases.map(case).to_vec()
}

/// Name, URL, and its origin or the refusal.
fn urls() -> impl Iterator<Item = (String, String, String)> {
    let part = "a".repeat(63);
    let name = format!("{part}.{part}.{part}.{}", "a".repeat(62));
    let longest = format!("wss://{}", &name[..249]);
    let cases = [
        ("a path and a query", "wss://signal.example.org/signal?x=1", "wss://signal.example.org"),
        ("a query without a path", "wss://signal.example.org?x=1", "wss://signal.example.org"),
        ("upper case", "WSS://Signal.Example.ORG/signal", "wss://signal.example.org"),
        ("the default port of wss", "wss://signal.example.org:443/", "wss://signal.example.org"),
        ("the default port of ws", "ws://signal.example.org:80", "ws://signal.example.org"),
        (
            "the default port of the other",
            "ws://signal.example.org:443",
            "ws://signal.example.org:443",
        ),
        ("the highest port", "ws://a:65535", "ws://a:65535"),
        ("Punycode", "wss://xn--bcher-kva.example", "wss://xn--bcher-kva.example"),
        ("an underscore", "ws://signal_server:8080", "ws://signal_server:8080"),
        ("IPv6 in a long spelling", "wss://[2001:DB8:0:0:0:0:0:1]:443/", "wss://[2001:db8::1]"),
        ("IPv6 loopback", "ws://[::1]:8080/signal", "ws://[::1]:8080"),
        ("a digit in the last part", "wss://a.b2", "wss://a.b2"),
        ("255 characters", longest.as_str(), longest.as_str()),
        ("256 characters", &format!("wss://{}", &name[..250]), "text_too_long"),
        ("a name of 254 characters", &format!("ws://{name}"), "origin_host"),
        ("http", "http://signal.example.org/", "origin_scheme"),
        ("one slash", "wss:/signal.example.org", "origin_scheme"),
        ("no host", "wss:///signal", "origin_host"),
        ("a port alone", "wss://:8443", "origin_host"),
        ("a name and a password", "wss://a:b@signal.example.org", "origin_host"),
        ("a part of 64 characters", &format!("wss://{part}a.org"), "origin_host"),
        ("an empty part", "wss://signal..example.org", "origin_host"),
        ("a dot at the end", "wss://signal.example.org.", "origin_host"),
        ("a hyphen at the end of a part", "wss://a-.org", "origin_host"),
        ("another script", "wss://bücher.example", "origin_host"),
        ("a blank", "wss://a b", "origin_host"),
        ("a backslash", "wss://a\\b", "origin_host"),
        ("a percent sign", "wss://a%2eb", "origin_host"),
        ("IPv4 in two parts", "wss://127.1", "origin_host"),
        ("IPv4 with a leading zero", "wss://127.0.0.01", "origin_host"),
        ("IPv4 in hexadecimal", "wss://0x7f000001", "origin_host"),
        ("IPv4 out of range", "wss://256.0.0.1", "origin_host"),
        ("a name that ends in a number", "wss://a.1", "origin_host"),
        ("IPv4 mapped into IPv6", "wss://[::ffff:127.0.0.1]", "origin_host"),
        ("IPv6 with a zone", "wss://[fe80::1%25eth0]", "origin_host"),
        ("IPv6 without an end", "wss://[2001:db8::1", "origin_host"),
        ("IPv6 without brackets", "wss://2001:db8::1", "origin_host"),
        ("port 0", "wss://a:0", "origin_port"),
        ("port 65536", "wss://a:65536", "origin_port"),
        ("a leading zero", "wss://a:0443", "origin_port"),
        ("an empty port", "wss://a:", "origin_port"),
        ("a plus sign", "wss://a:+443", "origin_port"),
        ("a port in letters", "wss://a:http", "origin_port"),
    ];
    cases.map(|(name, url, expected)| (name.into(), url.into(), expected.into())).into_iter()
}

fn url_case(name: &str, url: &str, expected: &str) -> Value {
    match Origin::of_url(url) {
        Ok(origin) => {
            assert_eq!(origin.as_str(), expected, "{name}");
            json!({ "name": name, "url": url, "result": "accepted", "origin": expected })
        }
        Err(refusal) => with(agreed(name, refusal.name(), expected), json!({ "url": url })),
    }
}
