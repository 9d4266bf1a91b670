//! The HTTP side of the public listener: `/signal`, `/health`, and a word for browsers at `/`.
//!
//! One request per connection. It ends in an upgrade, or with a response and a close; so there is
//! no keep-alive, no body and no pipelining to get wrong.

mod answer;
pub(crate) mod head;
mod proxy_header;
pub(crate) mod response;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use self::answer::{Answer, HttpRefusal, answer};
use self::response::linger;
use crate::arrival::Arrival;
use crate::counters::Handshake;
use crate::driver::drive;
use crate::refused::Refused;
use crate::stream::Stream;
use crate::tls::{HandshakeError, Tls, TlsStream};

/// Serves a connection that was just accepted.
pub(crate) async fn serve(mut arrival: Arrival, stream: TcpStream) {
    // Relayed messages are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    // For the request, and the handshake before it.
    let deadline = Instant::now() + arrival.server.request_timeout;
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
async fn refuse_plain(arrival: &mut Arrival, mut stream: TcpStream, first: &[u8]) {
    let is_header = proxy_header::is_at_front_of(first);
    if is_header {
        arrival.server.proxies.note_proxy_header(arrival.peer);
    }
    let refusal = if is_header { HttpRefusal::ProxyHeader } else { HttpRefusal::NotTls };
    arrival.refused(refusal.reason());
    let mut response = Vec::new();
    refusal.write(&mut response);
    if Stream::write_all(&mut stream, &response).await.is_ok() {
        linger(stream).await;
    }
}

async fn serve_request(mut arrival: Arrival, mut stream: impl Stream, deadline: Instant) {
    let mut head = Vec::new();
    let limits = arrival.server.head_limits;
    let head_bytes = match timeout_at(deadline, head::read(&mut stream, limits, &mut head)).await {
        Ok(Ok(bytes @ 1..)) => bytes,
        Ok(Ok(0) | Err(_)) => return arrival.refused(Refused::Gone),
        Err(_) => return arrival.refused(Refused::TimedOut),
    };
    let first = head.split_off(head_bytes.min(head.len()));
    let mut response = Vec::new();
    let answer = answer(&arrival.server, arrival.peer, &head, &mut response);
    drop(head);
    match &answer {
        Answer::Upgrade(_) => {}
        Answer::Served => arrival.answered(),
        Answer::Refused(why) => arrival.refused(*why),
    }
    let written = timeout(arrival.server.request_timeout, stream.write_all(&response)).await;
    match (written, answer) {
        (Ok(Ok(())), Answer::Upgrade(permit)) => {
            arrival.upgraded();
            // A task of its own: it is smaller than this one, and there are many of them.
            let (socket, tls) = stream.into_parts();
            tokio::spawn(drive(arrival.server.clone(), socket, tls, permit, first));
        }
        (Ok(Ok(())), _) => linger(stream).await,
        _ => arrival.refused(Refused::Gone),
    }
}
