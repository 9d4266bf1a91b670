//! The listener for operators: `GET /metrics`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use securecall_websocket::{HeadLimits, parse_request};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http::{head, response};
use crate::listener::Listener;
use crate::metrics;
use crate::requests::{Requests, attend};
use crate::server::Server;
use crate::stream::Stream as _;

/// An operator's tools are near and quick.
const TIMEOUT: Duration = Duration::from_secs(10);
const OPEN_METRICS: &str =
    "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";

/// Answers requests side by side, for ever. Nobody else should be able to reach this listener, but
/// a connection that says nothing must not keep a scrape out.
pub(crate) async fn serve(server: Arc<Server>, listener: Listener) {
    let requests = Requests::of_operators();
    loop {
        let (stream, peer) = listener.accept().await;
        let Some(request) = requests.begin(peer.ip(), false).await else { continue };
        let server = server.clone();
        tokio::spawn(attend(request, async move {
            let _ = timeout(TIMEOUT, answer(&server, stream)).await;
        }));
    }
}

async fn answer(server: &Arc<Server>, mut stream: TcpStream) -> io::Result<()> {
    let limits = HeadLimits::default();
    let mut head = Vec::new();
    if head::read(&mut stream, limits, &mut head).await? == 0 {
        return Ok(());
    }
    let mut out = Vec::new();
    match parse_request(&head, limits) {
        Ok(Some((request, _))) if request.path() == "/metrics" => {
            let metrics = metrics::render(server).unwrap_or_default();
            response::write(&mut out, "200 OK", OPEN_METRICS, &metrics, false);
        }
        Ok(Some(_)) => response::write_plain(&mut out, "404 Not Found", ""),
        Ok(None) | Err(_) => response::write_plain(&mut out, "400 Bad Request", ""),
    }
    stream.write_all(&out).await?;
    response::linger(stream).await;
    Ok(())
}
