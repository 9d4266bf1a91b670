//! The listener for operators: `GET /metrics`.

use std::sync::Arc;
use std::time::Duration;

use securecall_websocket::parse_request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::accept::pause_after;
use crate::metrics;
use crate::server::Server;

/// An operator's tools are near and quick.
const TIMEOUT: Duration = Duration::from_secs(10);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers one request at a time, for ever. A scrape takes milliseconds, and nobody else should
/// be able to reach this listener.
pub(crate) async fn serve(server: Arc<Server>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = timeout(TIMEOUT, answer(&server, stream)).await;
            }
            Err(error) => pause_after(error).await,
        }
    }
}

async fn answer(server: &Arc<Server>, mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    let (status, body) = loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
        match parse_request(&head) {
            Ok(None) if head.len() < 8192 => {}
            Ok(Some((request, _))) if request.path() == "/metrics" => {
                break ("200 OK", metrics::render(server).unwrap_or_default());
            }
            Ok(Some(_)) => break ("404 Not Found", String::new()),
            Ok(None) | Err(_) => break ("400 Bad Request", String::new()),
        }
    };
    let length = body.len();
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {OPEN_METRICS}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}
