//! `GET /health`, as a platform sends it to the server that it runs.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use securecall_client::{Disconnect, system_authorities};
use serde_json::Value;

use super::any_certificate::AnyCertificate;
use super::connector::Connector;
use crate::terminal::explanation::explain;

/// The bound of the response body; `{"status":"ok"}` has 15 bytes.
const ANSWER_BYTES_MAX: usize = 4096;

/// The time limit for TCP. The addresses of a name share it, so an address that drops packets
/// leaves time for the next one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(6);

/// The certificates that are accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trust {
    /// Certificates of authorities that this machine trusts.
    Authorities,
    /// Any certificate: for a server on this machine, whose certificate is for a public name. The
    /// request contains no secret.
    Anybody {
        /// True if the server expects a PROXY protocol header.
        proxy_protocol: bool,
    },
}

/// A PROXY protocol header without addresses.
const NOBODY: &[u8] = b"PROXY UNKNOWN\r\n";

/// Requests the health of the server at this WebSocket or HTTP URL.
pub(crate) async fn look_at(url: &str, trust: Trust) -> Result<(), String> {
    match (ask(url, trust).await?, trust, url.strip_prefix("http://")) {
        (Answer::Judged(judgement), ..) => judgement,
        // The server may use TLS because of a flag or variable of its own, which is unknown here.
        (Answer::None(Disconnect::TlsPort), Trust::Anybody { .. }, Some(place)) => {
            match ask(&format!("https://{place}"), trust).await? {
                Answer::Judged(judgement) => judgement,
                Answer::None(cause) => Err(explain(&cause)),
            }
        }
        (Answer::None(cause), ..) => Err(explain(&cause)),
    }
}

/// The answer to a request.
enum Answer {
    Judged(Result<(), String>),
    None(Disconnect),
}

async fn ask(url: &str, trust: Trust) -> Result<Answer, String> {
    let address = health_of(url).parse().map_err(|_| NOT_A_URL.to_owned())?;
    let connector = connector(trust).map_err(|error| error.to_string())?;
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<&[u8]>>(connector);
    let response = match client.get(address).await {
        Ok(response) => response,
        Err(error) => return Ok(Answer::None(Disconnect::beneath(&error))),
    };
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    Ok(match Disconnect::from_answer(&body).filter(|_| status == 400) {
        Some(cause) => Answer::None(cause),
        None => Answer::Judged(judge(status, &body)),
    })
}

const NOT_A_URL: &str = "not a ws://, wss://, http:// or https:// URL with a host";

/// Checks that a URL has a known scheme and a host.
pub(super) fn address(text: &str) -> Result<String, String> {
    let (scheme, place) = text.split_once("://").unwrap_or_default();
    let is_known = ["ws", "wss", "http", "https"].contains(&scheme);
    let has_host = !place.is_empty() && !place.starts_with(['/', '?', ':']);
    let is_address = is_known && has_host && !text.contains(char::is_whitespace);
    is_address.then(|| text.to_owned()).ok_or_else(|| NOT_A_URL.to_owned())
}

fn connector(trust: Trust) -> Result<HttpsConnector<Connector>, Box<dyn Error>> {
    let builder = HttpsConnectorBuilder::new();
    let builder = match trust {
        Trust::Authorities => builder.with_tls_config(system_authorities()?),
        Trust::Anybody { .. } => {
            let provider = Arc::new(aws_lc_rs::default_provider());
            let verifier = Arc::new(AnyCertificate(provider.signature_verification_algorithms));
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth();
            builder.with_tls_config(config)
        }
    };
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let first = match trust {
        Trust::Anybody { proxy_protocol: true } => NOBODY,
        _ => &[],
    };
    Ok(builder.https_or_http().enable_http1().wrap_connector(Connector { tcp, first }))
}

/// Compares the response with the one that the protocol documents.
fn judge(status: u16, body: &[u8]) -> Result<(), String> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match status {
        200 if answer["status"] == "ok" => Ok(()),
        200 => Err("the answer is not {\"status\":\"ok\"}".to_owned()),
        404 => Err("GET /health is 404: does the proxy forward it?".to_owned()),
        503 => Err("GET /health is 503: the server is stopping".to_owned()),
        status => Err(format!("GET /health is {status}")),
    }
}

/// Returns the URL of `/health`, which is beside `/signal`.
fn health_of(url: &str) -> String {
    let rest = url.strip_prefix("ws").or_else(|| url.strip_prefix("http"));
    let url = rest.unwrap_or(url);
    let (place, _) = url.split_once('?').unwrap_or((url, ""));
    let host_at = place.find("://").map_or(0, |at| at + 3);
    let path_at = place.rfind('/').filter(|at| *at >= host_at).unwrap_or(place.len());
    format!("http{}/health", place.get(..path_at).unwrap_or(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_beside_the_signal() {
        assert_eq!(health_of("ws://127.0.0.1:8080/signal"), "http://127.0.0.1:8080/health");
        assert_eq!(health_of("wss://example.org/calls/signal"), "https://example.org/calls/health");
        assert_eq!(health_of("wss://example.org"), "https://example.org/health");
        assert_eq!(health_of("wss://a/signal?next=/x/y"), "https://a/health");
        assert_eq!(health_of("http://a:8080"), "http://a:8080/health");
        assert_eq!(health_of("https://a/calls/health"), "https://a/calls/health");
    }

    #[test]
    fn an_address_of_another_kind_is_refused() {
        for text in ["ws://a", "wss://a/signal", "http://a:8080", "https://[::1]:8443/health"] {
            assert_eq!(address(text), Ok(text.to_owned()));
        }
        for text in ["ftp://x", "a", "https:", "http:///health", "http://a b", ""] {
            assert!(address(text).unwrap_err().contains("ws://"), "{text}");
        }
    }

    #[test]
    fn only_the_documented_response_is_healthy() {
        assert_eq!(judge(200, br#"{"status":"ok"}"#), Ok(()));
        assert!(judge(200, b"<html>").unwrap_err().contains("not"));
        assert!(judge(200, br#"{"status":"draining"}"#).is_err());
        assert!(judge(503, br#"{"status":"ok"}"#).unwrap_err().contains("stopping"));
        assert!(judge(404, b"").unwrap_err().contains("proxy"));
        assert!(judge(502, b"").is_err());
    }
}
