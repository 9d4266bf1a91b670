//! The opening handshake, from both ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use securecall_websocket::{
    HeadLimits, Request, RequestError, ResponseError, UnsafeHeader, parse_request, parse_response,
    write_request, write_switching_protocols,
};

/// The request of RFC 6455, section 1.2, as a list to change.
const FIELDS: [(&str, &str); 5] = [
    ("Host", "server.example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
];
const NONCE: [u8; 16] = *b"the sample nonce";

/// Reads the head of a request within the default bounds.
fn parse(bytes: &[u8]) -> Result<Option<(Request<'_>, usize)>, RequestError> {
    parse_request(bytes, HeadLimits::default())
}

fn request(line: &str, fields: &[(&str, &str)]) -> String {
    let fields: String =
        fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line}\r\n{fields}\r\n")
}

/// The sample request with one field replaced, or left out.
fn with(name: &str, value: Option<&str>) -> String {
    let fields: Vec<_> = FIELDS
        .iter()
        .filter_map(|field| if field.0 == name { value.map(|v| (name, v)) } else { Some(*field) })
        .collect();
    request("GET /signal HTTP/1.1", &fields)
}

/// The sample request with one field more.
fn and(name: &str, value: &str) -> String {
    request("GET /signal HTTP/1.1", &[&FIELDS[..], &[(name, value)]].concat())
}

/// Answers a request for an upgrade: the key, or the reason for a refusal.
fn upgrade(request: &str) -> Result<String, RequestError> {
    let (parsed, head_bytes) = parse(request.as_bytes())?.unwrap();
    assert_eq!(head_bytes, request.len());
    parsed.upgrade().map(|key| key.as_str().to_owned())
}

#[test]
fn a_target_in_absolute_form_is_the_same_path_and_query() {
    for (target, path, query) in [
        ("/signal", "/signal", None),
        ("/signal?a=://b", "/signal", Some("a=://b")),
        ("http://example.com/signal", "/signal", None),
        ("HTTPS://example.com:8443/signal?a=b", "/signal", Some("a=b")),
        ("ws://[::1]:80/signal", "/signal", None),
        ("http://example.com", "/", None),
        ("http://example.com?a=/b", "", Some("a=/b")),
        ("ftp://example.com/signal", "ftp://example.com/signal", None),
        ("//example.com/signal", "//example.com/signal", None),
        ("*", "*", None),
    ] {
        let request = request(&format!("GET {target} HTTP/1.1"), &FIELDS);
        let (request, _) = parse(request.as_bytes()).unwrap().unwrap();
        assert_eq!((request.path(), request.query()), (path, query), "{target}");
    }
}

#[test]
fn the_request_of_the_rfc_is_accepted_with_the_answer_of_the_rfc() {
    let request = request("GET /signal HTTP/1.1", &FIELDS);
    let (request, _) = parse(request.as_bytes()).unwrap().unwrap();
    let mut out = Vec::new();
    write_switching_protocols(&mut out, request.upgrade().unwrap());
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    );
}

#[test]
fn a_head_may_come_octet_by_octet_and_bytes_behind_it_are_left() {
    let mut bytes = request("GET /signal HTTP/1.1", &FIELDS).into_bytes();
    let head_bytes = bytes.len();
    for len in 0..head_bytes {
        assert!(parse(&bytes[..len]).unwrap().is_none());
    }
    bytes.extend_from_slice(b"\x81\x85first frame");
    assert_eq!(parse(&bytes).unwrap().unwrap().1, head_bytes);
}

#[test]
fn path_query_method_and_fields_are_read() {
    let request = request(
        "GET /signal?token=a?b HTTP/1.1",
        &[("Host", "a"), ("X-Forwarded-For", "1"), ("x-forwarded-for", "2, 3")],
    );
    let (request, _) = parse(request.as_bytes()).unwrap().unwrap();
    assert_eq!((request.method(), request.path()), ("GET", "/signal"));
    assert_eq!(request.query(), Some("token=a?b"));
    assert_eq!(request.header("hOsT"), Some("a"));
    assert_eq!(request.header("X-Forwarded-For"), None, "there are two");
    assert_eq!(request.header("Origin"), None);
    let values: Vec<_> = request.header_values("X-Forwarded-For").collect();
    assert_eq!(values, [&b"1"[..], b"2, 3"]);
}

#[test]
fn a_plain_request_is_no_upgrade_and_needs_no_host_before_http_1_1() {
    let health = parse(b"GET /health HTTP/1.0\r\n\r\n").unwrap().unwrap().0;
    assert_eq!((health.path(), health.query()), ("/health", None));
    assert_eq!(health.upgrade(), Err(RequestError::NotAnUpgrade));
}

#[test]
fn tokens_are_found_in_lists_in_any_case() {
    for value in ["upgrade", "keep-alive, Upgrade", "Upgrade,keep-alive", " UPGRADE ,,"] {
        assert!(upgrade(&with("Connection", Some(value))).is_ok(), "{value}");
    }
    for value in ["WebSocket", "h2c, websocket"] {
        assert!(upgrade(&with("Upgrade", Some(value))).is_ok(), "{value}");
    }
    assert!(upgrade(&and("Connection", "keep-alive")).is_ok());
}

#[test]
fn a_request_without_an_upgrade_is_answered_with_426() {
    let no_upgrades = [
        with("Upgrade", None),
        with("Connection", None),
        with("Upgrade", Some("h2c")),
        with("Upgrade", Some("websockets")),
        with("Connection", Some("keep-alive")),
        with("Connection", Some("upgraded")),
        request("POST /signal HTTP/1.1", &FIELDS),
        request("HEAD /signal HTTP/1.1", &FIELDS),
        request("GET /signal HTTP/1.0", &FIELDS),
    ];
    for request in no_upgrades {
        assert_eq!(upgrade(&request), Err(RequestError::NotAnUpgrade), "{request}");
    }
}

#[test]
fn another_version_is_answered_with_the_right_one() {
    for version in [None, Some("8"), Some("14"), Some("13, 8"), Some("")] {
        let refused = upgrade(&with("Sec-WebSocket-Version", version));
        assert_eq!(refused, Err(RequestError::UnsupportedVersion));
    }
    let refused = upgrade(&and("Sec-WebSocket-Version", "13"));
    assert_eq!(refused, Err(RequestError::UnsupportedVersion));

    let mut out = Vec::new();
    RequestError::UnsupportedVersion.write_response(&mut out);
    let response = String::from_utf8(out).unwrap();
    assert!(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
    assert!(response.contains("\r\nSec-WebSocket-Version: 13\r\n"));
    assert!(response.contains("\r\nUpgrade: websocket\r\n"));
}

#[test]
fn a_key_is_the_base64_of_sixteen_bytes() {
    let keys = [
        None,
        Some(""),
        Some("dGhlIHNhbXBsZSBub25jZQ"),
        Some("dGhlIHNhbXBsZSBub25jZQ==="),
        Some("dGhlIHNhbXBsZSBub25j"),
        Some("dGhlIHNhbXBsZSBub25jZQAA"),
        Some("dGhlIHNhbXBsZSBub25j!Q=="),
        Some("dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for key in keys {
        let refused = upgrade(&with("Sec-WebSocket-Key", key));
        assert_eq!(refused, Err(RequestError::InvalidKey), "{key:?}");
    }
}

#[test]
fn requests_that_invite_smuggling_are_refused() {
    let hazards = [
        (and("Host", "other.example.com"), RequestError::HostNotUnique),
        (with("Host", None), RequestError::HostNotUnique),
        (and("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), RequestError::InvalidKey),
        (and("Content-Length", "5"), RequestError::Body),
        (and("Content-Length", "00"), RequestError::Body),
        (and("Content-Length", "0, 5"), RequestError::Body),
        (and("Transfer-Encoding", "chunked"), RequestError::Body),
        (and("Transfer-Encoding", "identity"), RequestError::Body),
    ];
    for (request, error) in hazards {
        assert_eq!(upgrade(&request), Err(error), "{request}");
        assert_eq!(error.status(), 400);
    }
    assert!(upgrade(&and("Content-Length", "0")).is_ok());
}

#[test]
fn what_is_not_http_is_refused() {
    let hazards: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /signal HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET /signal HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /signal HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET /signal HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        b"GET /signal HTTP/1.1\r\nHost: a\0\r\n\r\n",
        b"GET /sig nal HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /signal HTTP/1.1\r\nHost\r\n\r\n",
    ];
    for hazard in hazards {
        let refused = parse(hazard);
        assert!(matches!(refused, Err(RequestError::Malformed(_))), "{refused:?}");
    }
}

#[test]
fn a_line_feed_alone_ends_no_line() {
    for head in ["GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"] {
        assert_eq!(parse(head.as_bytes()).unwrap_err(), RequestError::BareLineFeed);
    }
}

#[test]
fn a_head_over_its_bound_is_refused_complete_or_not() {
    for bytes_max in [512, 8 * 1024, 100_000] {
        let limits = HeadLimits { bytes_max, ..HeadLimits::default() };
        let fits = with_filler(bytes_max);
        assert_eq!(parse_request(fits.as_bytes(), limits).unwrap().unwrap().1, bytes_max);
        let over = with_filler(bytes_max + 1);
        let refused = parse_request(over.as_bytes(), limits).unwrap_err();
        assert_eq!(refused, RequestError::HeadTooLarge);
        let cut = &over.as_bytes()[..bytes_max];
        assert_eq!(parse_request(cut, limits).unwrap_err(), RequestError::HeadTooLarge);
        assert!(parse_request(&cut[..bytes_max - 1], limits).unwrap().is_none());
    }
}

fn with_filler(head_bytes: usize) -> String {
    let empty = and("X", "").len();
    and("X", &"x".repeat(head_bytes - empty))
}

#[test]
fn a_head_with_more_fields_than_its_bound_is_refused() {
    let fields = |count| [vec![("Host", "a")], vec![("X", "x"); count - 1]].concat();
    for fields_max in [1, 64, 300] {
        let limits = HeadLimits { fields_max, ..HeadLimits::default() };
        let fits = request("GET / HTTP/1.1", &fields(fields_max));
        assert!(parse_request(fits.as_bytes(), limits).unwrap().is_some());
        let over = request("GET / HTTP/1.1", &fields(fields_max + 1));
        let refused = parse_request(over.as_bytes(), limits).unwrap_err();
        assert_eq!((refused, refused.status()), (RequestError::HeadTooLarge, 431));
    }
}

#[test]
fn a_refusal_is_a_whole_response() {
    for error in [RequestError::InvalidKey, RequestError::HeadTooLarge, RequestError::NotAnUpgrade]
    {
        let mut out = Vec::new();
        error.write_response(&mut out);
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut headers);
        let head_bytes = response.parse(&out).unwrap().unwrap();
        assert_eq!(response.code, Some(error.status()));
        let length = response.headers.iter().find(|h| h.name == "Content-Length").unwrap().value;
        assert_eq!(length, (out.len() - head_bytes).to_string().as_bytes());
    }
}

/// The request of our client and the response of our server to it.
fn shake_hands(headers: &[(&str, &str)]) -> (Vec<u8>, Vec<u8>) {
    let mut asked = Vec::new();
    write_request(&mut asked, "localhost:8080", "/signal?a=b", &NONCE, headers).unwrap();
    let (request, _) = parse(&asked).unwrap().unwrap();
    let mut answered = Vec::new();
    write_switching_protocols(&mut answered, request.upgrade().unwrap());
    (asked, answered)
}

#[test]
fn our_client_and_our_server_understand_each_other() {
    let (asked, mut answered) = shake_hands(&[("Origin", "https://example.com")]);
    let (request, _) = parse(&asked).unwrap().unwrap();
    assert_eq!(request.header("Origin"), Some("https://example.com"));
    assert_eq!(request.header("Host"), Some("localhost:8080"));

    let head_bytes = answered.len();
    for len in 0..head_bytes {
        assert_eq!(parse_response(&answered[..len], &NONCE), Ok(None));
    }
    answered.extend_from_slice(b"\x81\x05first");
    assert_eq!(parse_response(&answered, &NONCE), Ok(Some(head_bytes)));
}

#[test]
fn a_request_that_would_break_out_of_its_line_is_not_written() {
    let cases: [(&str, &str, (&str, &str)); 5] = [
        ("a\r\nX: y", "/", ("A", "b")),
        ("a", "/ HTTP/1.1\r\nX:", ("A", "b")),
        ("a", "/", ("A\r\nX", "b")),
        ("a", "/", ("A", "b\nX: y")),
        ("", "/", ("A", "b")),
    ];
    for (host, path, header) in cases {
        let mut out = Vec::new();
        assert_eq!(write_request(&mut out, host, path, &NONCE, &[header]), Err(UnsafeHeader));
        assert!(out.is_empty());
    }
}

#[test]
fn a_response_that_does_not_prove_the_upgrade_is_refused() {
    let (_, answered) = shake_hands(&[]);
    let good = String::from_utf8(answered).unwrap();
    let protocol = "Sec-WebSocket-Protocol: chat\r\n\r\n";
    let extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let cases = [
        (good.replace("101", "503"), ResponseError::Refused(503)),
        (good.replace("Upgrade: websocket", "Upgrade: h2c"), ResponseError::NotAnUpgrade),
        (good.replace("Connection: Upgrade", "Connection: close"), ResponseError::NotAnUpgrade),
        (good.replace("s3pP", "s3pQ"), ResponseError::WrongAccept),
        (good.replace("Sec-WebSocket-Accept", "X"), ResponseError::WrongAccept),
        (good.replace("\r\n\r\n", &format!("\r\n{protocol}")), ResponseError::NotOffered),
        (good.replace("\r\n\r\n", &format!("\r\n{extension}")), ResponseError::NotOffered),
    ];
    for (response, error) in cases {
        assert_eq!(parse_response(response.as_bytes(), &NONCE), Err(error), "{response}");
    }
    let malformed = parse_response(b"SSH-2.0-OpenSSH\r\n", &NONCE);
    assert!(matches!(malformed, Err(ResponseError::Malformed(_))));
    assert_eq!(parse_response(&[b'\n'; 8 * 1024], &NONCE), Err(ResponseError::HeadTooLarge));
}
