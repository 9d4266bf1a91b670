//! HTTP responses that end their connection.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::timeout;

use super::stream::Stream;

/// How long a client may take to read a response and close.
const LINGER: Duration = Duration::from_secs(2);

/// Appends a response whose body is the reason phrase of its status.
pub(crate) fn write_plain(out: &mut Vec<u8>, status: &str, fields: &str) {
    let body = status.split_once(' ').map_or(Cow::Borrowed(status), |(_, reason)| reason.into());
    write_sentence(out, status, fields, &body);
}

/// Appends a response with a sentence for whoever looks.
pub(crate) fn write_sentence(out: &mut Vec<u8>, status: &str, fields: &str, sentence: &str) {
    let fields = format!("{fields}Content-Type: text/plain\r\n");
    write(out, status, &fields, &format!("{sentence}\n"), false);
}

/// Appends a response. `fields` are whole lines; the answer to a HEAD is the head alone.
pub(crate) fn write(out: &mut Vec<u8>, status: &str, fields: &str, body: &str, head_only: bool) {
    let length = body.len();
    let body = if head_only { "" } else { body };
    let text = format!(
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    out.extend_from_slice(text.as_bytes());
}

/// Appends a response without a body, which has no length either (RFC 9110 section 8.6).
pub(crate) fn write_no_content(out: &mut Vec<u8>, fields: &str) {
    let text = format!("HTTP/1.1 204 No Content\r\n{fields}Connection: close\r\n\r\n");
    out.extend_from_slice(text.as_bytes());
}

/// Waits for the client to close, so that a reset does not overtake the response.
pub(crate) async fn linger(mut stream: impl Stream) {
    let _ = stream.shutdown().await;
    let mut rest = Vec::with_capacity(1024);
    let read_out = async {
        while matches!(stream.read(&mut rest).await, Ok(1..)) {
            rest.clear();
        }
    };
    let _ = timeout(LINGER, read_out).await;
}
