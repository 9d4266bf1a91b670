//! The HTTP side of the public listener: `/signal`, `/health`, and a word for browsers at `/`.
//!
//! One request per connection. It ends in an upgrade, or with a response and a close; so there is
//! no keep-alive, no body and no pipelining to get wrong.

pub(crate) mod accept;
mod answer;
pub(crate) mod head;
pub(crate) mod listener;
pub(crate) mod response;
pub(crate) mod stream;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use self::answer::{Answer, HttpRefusal, answer};
use self::response::linger;
use self::stream::Stream;
use crate::admission::arrival::Arrival;
use crate::admission::proxy_protocol::{self, Missing};
use crate::admission::refused::Refused;
use crate::driver::drive;
use crate::telemetry::counters::Handshake;
use crate::tls::{HandshakeError, Tls, TlsStream};

/// Serves a connection that was just accepted.
pub(crate) async fn serve(mut arrival: Arrival, mut stream: TcpStream) {
    // Relayed messages are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    // For the request, and what is before it: a proxy's header, a handshake.
    let deadline = Instant::now() + arrival.live.request_timeout;
    if arrival.live.proxies.speak_proxy_protocol() {
        match read_proxy_header(&mut arrival, stream, deadline).await {
            Some(behind_it) => stream = behind_it,
            None => return,
        }
    }
    let server = arrival.server.clone();
    match &server.tls {
        None => serve_request(arrival, stream, deadline).await,
        Some(tls) => {
            if let Some(stream) = shake_hands(&mut arrival, tls, stream, deadline).await {
                serve_request(arrival, stream, deadline).await;
            }
        }
    }
}

/// Reads whose connection it is. Returns what follows; `None`: nothing, it is over.
async fn read_proxy_header(
    arrival: &mut Arrival,
    mut stream: TcpStream,
    deadline: Instant,
) -> Option<TcpStream> {
    let why = match timeout_at(deadline, proxy_protocol::read(&mut stream)).await {
        Ok(Ok(client)) => match arrival.named(client) {
            Ok(()) => return Some(stream),
            Err(why) => why,
        },
        Ok(Err(Missing::Invalid)) => {
            arrival.live.proxies.note_missing_proxy_header(arrival.source.address());
            refuse_in_clear(arrival, stream, &HttpRefusal::ProxyHeaderMissing).await;
            return None;
        }
        Ok(Err(Missing::Gone)) => Refused::Gone,
        Err(_) => Refused::TimedOut,
    };
    arrival.refused(why);
    // A reset: without one, the proxy's kernel would wait for its client.
    let _ = stream.set_zero_linger();
    None
}

/// The stream of a client that speaks TLS.
async fn shake_hands(
    arrival: &mut Arrival,
    tls: &Tls,
    stream: TcpStream,
    deadline: Instant,
) -> Option<TlsStream> {
    let accepted = timeout_at(deadline, TlsStream::accept(stream, tls.config.clone())).await;
    arrival.server.counters.handshake(match &accepted {
        Ok(Ok(stream)) if stream.is_resumed() => Handshake::Resumed,
        Ok(Ok(_)) => Handshake::Full,
        Ok(Err(_)) => Handshake::Failed,
        Err(_) => Handshake::TimedOut,
    });
    match accepted {
        Ok(Ok(stream)) if stream.is_challenge() => {
            arrival.answered();
            linger(stream).await;
        }
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(HandshakeError::NotTls(stream, first))) => {
            refuse_plain(arrival, stream, &first).await;
        }
        Ok(Err(HandshakeError::Tls)) => arrival.refused(Refused::TlsFailed),
        Ok(Err(HandshakeError::Io)) => arrival.refused(Refused::Gone),
        Err(_) => arrival.refused(Refused::TimedOut),
    }
    None
}

/// Somebody wrote `http://` or `ws://` for this port, or a proxy says whose connection it is: both
/// are told in plain words.
async fn refuse_plain(arrival: &mut Arrival, stream: TcpStream, first: &[u8]) {
    let proxies = &arrival.live.proxies;
    let is_header = proxy_protocol::is_at_front_of(first) && !proxies.speak_proxy_protocol();
    if is_header {
        proxies.note_proxy_header(arrival.source.address());
    }
    let refusal = if is_header { HttpRefusal::ProxyHeader } else { HttpRefusal::NotTls };
    refuse_in_clear(arrival, stream, &refusal).await;
}

/// Answers before any TLS, in words for whoever looks.
async fn refuse_in_clear(arrival: &mut Arrival, mut stream: TcpStream, refusal: &HttpRefusal) {
    arrival.refused(refusal.reason());
    let mut response = Vec::new();
    refusal.write(&mut response);
    if Stream::write_all(&mut stream, &response).await.is_ok() {
        linger(stream).await;
    }
}

async fn serve_request(mut arrival: Arrival, mut stream: impl Stream, deadline: Instant) {
    let mut head = Vec::new();
    let limits = arrival.live.head_limits;
    let head_bytes = match timeout_at(deadline, head::read(&mut stream, limits, &mut head)).await {
        Ok(Ok(bytes @ 1..)) => bytes,
        Ok(Ok(0) | Err(_)) => return arrival.refused(Refused::Gone),
        Err(_) => return arrival.refused(Refused::TimedOut),
    };
    let first = head.split_off(head_bytes.min(head.len()));
    let mut response = Vec::new();
    let answer = answer(&arrival, &head, &mut response);
    drop(head);
    match &answer {
        Answer::Upgrade(_) => {}
        Answer::Served => arrival.answered(),
        Answer::Refused(why) => arrival.refused(*why),
    }
    let written = timeout(arrival.live.request_timeout, stream.write_all(&response)).await;
    match (written, answer) {
        (Ok(Ok(())), Answer::Upgrade(permit)) => {
            arrival.upgraded();
            // A task of its own: it is smaller than this one, and there are many of them.
            let (socket, tls) = stream.into_parts();
            let (server, live) = (arrival.server.clone(), arrival.live.clone());
            tokio::spawn(drive(server, live, socket, tls, permit, first));
        }
        (Ok(Ok(())), _) => linger(stream).await,
        _ => arrival.refused(Refused::Gone),
    }
}
