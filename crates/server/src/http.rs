//! The HTTP side of the public listener: `/signal`, `/health`, and nothing else.
//!
//! One request per connection. It ends in an upgrade, or with a response and a close; so there is
//! no keep-alive, no body and no pipelining to get wrong.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use securecall_core::Refusal;
use securecall_websocket::{
    HEAD_BYTES_MAX, Request, RequestError, UpgradeKey, parse_request, write_switching_protocols,
};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::counters::{Handshake, Refused};
use crate::driver::drive;
use crate::permit::Permit;
use crate::server::Server;
use crate::stream::Stream;
use crate::tls::{HandshakeError, Tls, TlsStream};

/// How long a client may take to read a response and close.
const LINGER: Duration = Duration::from_secs(2);
/// When an address that is full should try again. Connections close at the pace of people.
const ADDRESS_FULL_RETRY: Duration = Duration::from_secs(10);
/// When to try a full or draining server again: a restart takes seconds.
const SERVER_RETRY: Duration = Duration::from_secs(5);

/// Serves a connection that was just accepted.
pub(crate) async fn serve(server: Arc<Server>, stream: TcpStream, peer: SocketAddr) {
    // Relayed messages are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    // For the request, and the handshake before it.
    let deadline = Instant::now() + server.request_timeout;
    match &server.tls {
        None => serve_request(server, stream, peer, deadline).await,
        Some(tls) => {
            let stream = shake_hands(&server, tls, stream, deadline).await;
            if let Some(stream) = stream {
                serve_request(server, stream, peer, deadline).await;
            }
        }
    }
}

/// The stream of a client that speaks TLS.
async fn shake_hands(
    server: &Server,
    tls: &Tls,
    stream: TcpStream,
    deadline: Instant,
) -> Option<TlsStream> {
    let accepted = timeout_at(deadline, TlsStream::accept(stream, tls.config.clone())).await;
    let (how, stream) = match accepted {
        Ok(Ok(stream)) if stream.is_resumed() => (Handshake::Resumed, Ok(stream)),
        Ok(Ok(stream)) => (Handshake::Full, Ok(stream)),
        Ok(Err(error)) => (Handshake::Failed, Err(Some(error))),
        Err(_) => (Handshake::TimedOut, Err(None)),
    };
    server.counters.handshake(how);
    match stream {
        Ok(stream) if stream.is_challenge() => linger(stream).await,
        Ok(stream) => return Some(stream),
        Err(Some(HandshakeError::NotTls(stream))) => refuse_plain(stream).await,
        Err(_) => {}
    }
    None
}

/// Somebody wrote `http://` or `ws://` for this port, and is told in the words that he speaks.
async fn refuse_plain(mut stream: TcpStream) {
    let mut response = Vec::new();
    let body = "This port speaks TLS: use https:// or wss://\n";
    write_response(&mut response, "400 Bad Request", "Content-Type: text/plain\r\n", body, false);
    if Stream::write_all(&mut stream, &response).await.is_ok() {
        linger(stream).await;
    }
}

async fn serve_request(
    server: Arc<Server>,
    mut stream: impl Stream,
    peer: SocketAddr,
    deadline: Instant,
) {
    let mut head = Vec::new();
    let request = timeout_at(deadline, read_head(&mut stream, &mut head));
    let Ok(Some(head_bytes)) = request.await else { return };
    let first = head.split_off(head_bytes.min(head.len()));
    let mut response = Vec::new();
    let permit = answer(&server, peer.ip(), &head, &mut response);
    drop(head);
    let written = timeout(server.request_timeout, stream.write_all(&response)).await;
    match (written, permit) {
        (Ok(Ok(())), Some(permit)) => {
            server.counters.accepted();
            // A task of its own: it is smaller than this one, and there are many of them.
            let (socket, tls) = stream.into_parts();
            tokio::spawn(drive(server, socket, tls, permit, first));
        }
        (Ok(Ok(())), None) => linger(stream).await,
        _ => {}
    }
}

/// Reads until the head is whole, or hopeless. None: the client is gone.
async fn read_head(stream: &mut impl Stream, head: &mut Vec<u8>) -> Option<usize> {
    head.reserve(1024);
    loop {
        if stream.read(head).await.ok()? == 0 {
            return None;
        }
        match parse_request(head) {
            Ok(None) if head.len() < 2 * HEAD_BYTES_MAX => {}
            Ok(None) | Err(_) => return Some(head.len()),
            Ok(Some((_, head_bytes))) => return Some(head_bytes),
        }
    }
}

/// Writes the response. With a permit it is the upgrade.
fn answer(
    server: &Arc<Server>,
    peer: IpAddr,
    head: &[u8],
    response: &mut Vec<u8>,
) -> Option<Permit> {
    let request = match parse_request(head) {
        Ok(Some((request, _))) => request,
        Ok(None) => {
            RequestError::HeadTooLarge.write_response(response);
            return None;
        }
        Err(error) => {
            error.write_response(response);
            return None;
        }
    };
    match (request.path(), request.method()) {
        ("/signal", _) => return upgrade(server, peer, &request, response),
        ("/health", "GET" | "HEAD") => health(server, &request, response),
        ("/health", _) => write_plain(response, "405 Method Not Allowed", "Allow: GET, HEAD\r\n"),
        _ => write_plain(response, "404 Not Found", ""),
    }
    None
}

fn upgrade(
    server: &Arc<Server>,
    peer: IpAddr,
    request: &Request<'_>,
    response: &mut Vec<u8>,
) -> Option<Permit> {
    match admit(server, peer, request) {
        Ok((permit, key)) => {
            write_switching_protocols(response, key);
            Some(permit)
        }
        Err((why, refusal)) => {
            server.counters.refused(why);
            refusal.write(response);
            None
        }
    }
}

/// Checks all that an upgrade needs, the cheapest and most general first.
fn admit<'r>(
    server: &Arc<Server>,
    peer: IpAddr,
    request: &Request<'r>,
) -> Result<(Permit, UpgradeKey<'r>), (Refused, HttpRefusal)> {
    let key =
        request.upgrade().map_err(|error| (Refused::NotAnUpgrade, HttpRefusal::Request(error)))?;
    if server.is_draining() {
        return Err((Refused::Draining, HttpRefusal::Unavailable(SERVER_RETRY)));
    }
    let address = server.proxies.client_address(peer, request);
    let permit = Permit::take(server, address.into()).map_err(|refusal| match refusal {
        Refusal::ServerFull => (Refused::ServerFull, HttpRefusal::Unavailable(SERVER_RETRY)),
        Refusal::AddressFull => {
            (Refused::AddressFull, HttpRefusal::TooManyRequests(ADDRESS_FULL_RETRY))
        }
        Refusal::TooFast { retry_after } => {
            (Refused::TooFast, HttpRefusal::TooManyRequests(retry_after))
        }
    })?;
    Ok((permit, key))
}

/// A request that is refused before the upgrade.
enum HttpRefusal {
    Request(RequestError),
    TooManyRequests(Duration),
    Unavailable(Duration),
}

impl HttpRefusal {
    fn write(&self, response: &mut Vec<u8>) {
        let (status, retry_after) = match self {
            Self::Request(error) => return error.write_response(response),
            Self::TooManyRequests(retry_after) => ("429 Too Many Requests", retry_after),
            Self::Unavailable(retry_after) => ("503 Service Unavailable", retry_after),
        };
        // Whole seconds (RFC 9110 section 10.2.3), rounded up: not before it helps.
        let seconds = retry_after.as_millis().div_ceil(1000).max(1);
        write_plain(response, status, &format!("Retry-After: {seconds}\r\n"));
    }
}

/// A draining server is not healthy: a load balancer then sends clients elsewhere.
fn health(server: &Server, request: &Request<'_>, response: &mut Vec<u8>) {
    let (status, body) = if server.is_draining() {
        ("503 Service Unavailable", r#"{"status":"draining"}"#)
    } else {
        ("200 OK", r#"{"status":"ok"}"#)
    };
    let head_only = request.method() == "HEAD";
    write_response(response, status, "Content-Type: application/json\r\n", body, head_only);
}

fn write_plain(response: &mut Vec<u8>, status: &str, fields: &str) {
    let fields = format!("{fields}Content-Type: text/plain\r\n");
    let body = status.split_once(' ').map_or(Cow::Borrowed(status), |(_, reason)| reason.into());
    write_response(response, status, &fields, &format!("{body}\n"), false);
}

fn write_response(out: &mut Vec<u8>, status: &str, fields: &str, body: &str, head_only: bool) {
    let length = body.len();
    let body = if head_only { "" } else { body };
    let text = format!(
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    out.extend_from_slice(text.as_bytes());
}

/// Waits for the client to close, so that a reset does not overtake the response.
async fn linger(mut stream: impl Stream) {
    let _ = stream.shutdown().await;
    let mut rest = Vec::with_capacity(1024);
    let read_out = async {
        while matches!(stream.read(&mut rest).await, Ok(1..)) {
            rest.clear();
        }
    };
    let _ = timeout(LINGER, read_out).await;
}
