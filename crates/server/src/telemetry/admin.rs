//! The admin listener: `/metrics`, `/livez`, `/readyz`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use securecall_websocket::{HeadLimits, Request, parse_request};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::liveness::Liveness;
use super::metrics::{self, Format, Process};
use super::readiness::Unready;
use crate::admission::requests::{Requests, attend};
use crate::http::listener::Listener;
use crate::http::stream::Stream as _;
use crate::http::{head, response};
use crate::server::Server;

/// The time limit of a request; an operator's tools are near and quick.
const TIMEOUT: Duration = Duration::from_secs(10);
const JSON: &str = "Content-Type: application/json\r\n";

/// The sources of the responses.
pub(crate) struct Admin {
    pub(crate) server: Arc<Server>,
    pub(crate) liveness: Liveness,
}

/// Serves requests concurrently, forever. No stranger should reach this listener, but a silent
/// connection must not block a scrape.
pub(crate) async fn serve(admin: Admin, listener: Listener) {
    let admin = Arc::new(admin);
    let requests = Requests::of_operators();
    loop {
        let (stream, peer) = listener.accept().await;
        let Some(request) = requests.begin(peer.ip(), false).await else { continue };
        let admin = admin.clone();
        tokio::spawn(attend(request, async move |_place| {
            let _ = timeout(TIMEOUT, answer(&admin, stream)).await;
        }));
    }
}

async fn answer(admin: &Admin, mut stream: TcpStream) -> io::Result<()> {
    let limits = HeadLimits::default();
    let mut head = Vec::new();
    if head::read(&mut stream, limits, &mut head).await? == 0 {
        return Ok(());
    }
    let mut out = Vec::new();
    match parse_request(&head, limits) {
        Ok(Some((request, _))) => admin.route(&request, &mut out).await,
        Ok(None) | Err(_) => response::write_plain(&mut out, "400 Bad Request", ""),
    }
    stream.write_all(&out).await?;
    response::linger(stream).await;
    Ok(())
}

impl Admin {
    async fn route(&self, request: &Request<'_>, out: &mut Vec<u8>) {
        let head_only = request.method() == "HEAD";
        match (request.path(), request.method()) {
            ("/metrics", "GET" | "HEAD") => self.metrics(request, head_only, out).await,
            ("/livez", "GET" | "HEAD") => {
                write_health(out, &self.liveness.reasons().await, head_only);
            }
            ("/readyz", "GET" | "HEAD") => {
                let reasons: Vec<_> =
                    Unready::reasons(&self.server).into_iter().map(Unready::as_str).collect();
                write_health(out, &reasons, head_only);
            }
            ("/metrics" | "/livez" | "/readyz", _) => {
                response::write_plain(out, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
            }
            _ => response::write_plain(out, "404 Not Found", ""),
        }
    }

    async fn metrics(&self, request: &Request<'_>, head_only: bool, out: &mut Vec<u8>) {
        let format = Format::preferred(request.header_values("Accept"));
        // Reading `/proc` may take longer than an event loop may block.
        let process = spawn_blocking(Process::read).await.unwrap_or_default();
        let text = metrics::render(&self.server, &process, format);
        let fields = format!("Content-Type: {}\r\nVary: Accept\r\n", format.content_type());
        response::write(out, "200 OK", &fields, &text, head_only);
    }
}

/// Appends a response: 200, or 503 with the reasons.
fn write_health(out: &mut Vec<u8>, reasons: &[&str], head_only: bool) {
    if reasons.is_empty() {
        return response::write(out, "200 OK", JSON, r#"{"status":"ok"}"#, head_only);
    }
    // The reasons are constant words, which need no escapes.
    let body = format!(r#"{{"status":"failing","reasons":["{}"]}}"#, reasons.join(r#"",""#));
    response::write(out, "503 Service Unavailable", JSON, &body, head_only);
}
