//! The answer to a request: the upgrade at `/signal`, `/health`, a word for browsers, or a refusal.

use std::time::Duration;

use securecall_core::Refusal;
use securecall_websocket::{
    Request, RequestError, UpgradeKey, parse_request, write_switching_protocols,
};

use super::response;
use crate::admission::arrival::Arrival;
use crate::admission::permit::Permit;
use crate::admission::proxy_protocol;
use crate::admission::refused::Refused;
use crate::server::Server;

/// When an address that is full should try again. Connections close at the pace of people.
const ADDRESS_FULL_RETRY: Duration = Duration::from_secs(10);
/// When to try a full or draining server again: a restart takes seconds.
const SERVER_RETRY: Duration = Duration::from_secs(5);

/// The outcome of a request.
pub(super) enum Answer {
    /// It becomes a WebSocket, whose client has this place.
    Upgrade(Permit),
    /// It got what it asked for.
    Served,
    Refused(Refused),
}

/// Writes the response to a request with this head.
pub(super) fn answer(arrival: &Arrival, head: &[u8], response: &mut Vec<u8>) -> Answer {
    match route(arrival, head, response) {
        Ok(answer) => answer,
        Err(refusal) => {
            refusal.write(response);
            Answer::Refused(refusal.reason())
        }
    }
}

fn route(arrival: &Arrival, head: &[u8], response: &mut Vec<u8>) -> Result<Answer, HttpRefusal> {
    let request = parse(arrival, head)?;
    match (request.path(), request.method()) {
        ("/signal", _) => {
            let (permit, key) = admit(arrival, &request)?;
            write_switching_protocols(response, key);
            Ok(Answer::Upgrade(permit))
        }
        ("/health", "GET" | "HEAD") => {
            health(&arrival.server, &request, response);
            Ok(Answer::Served)
        }
        ("/", "GET" | "HEAD") => {
            introduce(&request, response);
            Ok(Answer::Served)
        }
        // Browsers ask for it by themselves: that is no refusal to count.
        ("/favicon.ico", "GET" | "HEAD") => {
            response::write_no_content(response, "Cache-Control: max-age=86400\r\n");
            Ok(Answer::Served)
        }
        ("/health" | "/" | "/favicon.ico", _) => Err(HttpRefusal::MethodNotAllowed),
        _ => Err(HttpRefusal::NotFound),
    }
}

fn parse<'b>(arrival: &Arrival, head: &'b [u8]) -> Result<Request<'b>, HttpRefusal> {
    let proxies = &arrival.live.proxies;
    match parse_request(head, arrival.live.head_limits) {
        Ok(Some((request, _))) => Ok(request),
        Ok(None) => Err(RequestError::HeadTooLarge.into()),
        Err(_) if proxy_protocol::is_at_front_of(head) && !proxies.speak_proxy_protocol() => {
            proxies.note_proxy_header(arrival.source.address());
            Err(HttpRefusal::ProxyHeader)
        }
        Err(error) => Err(error.into()),
    }
}

/// Checks all that an upgrade needs, the cheapest and most general first.
fn admit<'r>(
    arrival: &Arrival,
    request: &Request<'r>,
) -> Result<(Permit, UpgradeKey<'r>), HttpRefusal> {
    let server = &arrival.server;
    let key = request.upgrade()?;
    if server.is_draining() {
        return Err(HttpRefusal::Draining);
    }
    let address = arrival.live.proxies.client_address(arrival.source, request);
    Ok((Permit::take(server, address.into())?, key))
}

/// A sentence for whoever opens the address in a browser.
fn introduce(request: &Request<'_>, out: &mut Vec<u8>) {
    const SENTENCE: &str = "SecureCall signaling server: clients connect to /signal by WebSocket, and \
                            /health says whether it is well\n";
    let head_only = request.method() == "HEAD";
    response::write(out, "200 OK", "Content-Type: text/plain\r\n", SENTENCE, head_only);
}

/// A draining server is not healthy: a load balancer then sends clients elsewhere.
fn health(server: &Server, request: &Request<'_>, out: &mut Vec<u8>) {
    let (status, body) = if server.is_draining() {
        ("503 Service Unavailable", r#"{"status":"draining"}"#)
    } else {
        ("200 OK", r#"{"status":"ok"}"#)
    };
    let head_only = request.method() == "HEAD";
    response::write(out, status, "Content-Type: application/json\r\n", body, head_only);
}

/// A refusal that is told to the client.
#[derive(Debug)]
pub(super) enum HttpRefusal {
    Request(RequestError),
    /// Instead of a request, a proxy's header.
    ProxyHeader,
    /// Instead of a proxy's header, something else.
    ProxyHeaderMissing,
    /// Plain HTTP where TLS is spoken.
    NotTls,
    NotFound,
    MethodNotAllowed,
    Draining,
    Full(Refusal),
}

impl From<RequestError> for HttpRefusal {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<Refusal> for HttpRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Full(refusal)
    }
}

impl HttpRefusal {
    /// Returns the reason that it is counted with.
    pub(super) fn reason(&self) -> Refused {
        match self {
            Self::Request(error) => (*error).into(),
            Self::ProxyHeader => Refused::ProxyHeader,
            Self::ProxyHeaderMissing => Refused::ProxyHeaderMissing,
            Self::NotTls => Refused::NotTls,
            Self::NotFound => Refused::NotFound,
            Self::MethodNotAllowed => Refused::MethodNotAllowed,
            Self::Draining => Refused::Draining,
            Self::Full(refusal) => (*refusal).into(),
        }
    }

    /// Appends the response.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Request(error) => error.write_response(out),
            Self::ProxyHeader => response::write_sentence(
                out,
                "400 Bad Request",
                "",
                "The PROXY protocol is not read here: switch it off in the proxy (send-proxy, \
                 proxy_protocol, write-proxy), or read it with --proxy-protocol on",
            ),
            Self::ProxyHeaderMissing => response::write_sentence(
                out,
                "400 Bad Request",
                "",
                "A PROXY protocol header is expected here before all else: switch it on in the proxy \
                 (send-proxy-v2, proxy_protocol, write-proxy-v2)",
            ),
            Self::NotTls => response::write_sentence(
                out,
                "400 Bad Request",
                "",
                "This port speaks TLS: use https:// or wss://",
            ),
            Self::NotFound => response::write_plain(out, "404 Not Found", ""),
            Self::MethodNotAllowed => {
                response::write_plain(out, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
            }
            Self::Draining | Self::Full(Refusal::ServerFull) => {
                write_later(out, "503 Service Unavailable", SERVER_RETRY);
            }
            Self::Full(Refusal::AddressFull) => {
                write_later(out, "429 Too Many Requests", ADDRESS_FULL_RETRY);
            }
            Self::Full(Refusal::TooFast { retry_after }) => {
                write_later(out, "429 Too Many Requests", *retry_after);
            }
        }
    }
}

/// Appends a response that says when to come back: in whole seconds (RFC 9110 section 10.2.3),
/// rounded up, so not before it helps.
fn write_later(out: &mut Vec<u8>, status: &str, retry_after: Duration) {
    let seconds = retry_after.as_millis().div_ceil(1000).max(1);
    response::write_plain(out, status, &format!("Retry-After: {seconds}\r\n"));
}
