//! A test of the protocol's rules over a bare connection.

use securecall_client::{Disconnect, Wire};
use serde_json::{Value, json};

use super::report::Report;
use crate::terminal::explanation::explain;
use crate::throwaway_id::throwaway_id;

/// The message limit of a server that reports none (the reference protocol).
const MESSAGE_BYTES_MAX: u64 = 65_536;

/// Runs the tests. Returns false if no connection could be opened.
pub(crate) async fn look_at(report: &mut Report, url: &str) -> bool {
    let Some(mut wire) = report.step("connect", open(url)).await else { return false };
    report.step("nonsense is refused", is_refused(&mut wire, "nonsense")).await;
    let Some(bytes_max) = report.step("register", register(&mut wire)).await else {
        return true;
    };
    report.step("heartbeat", heartbeat(&mut wire)).await;
    report.step("ping", ping(&mut wire)).await;
    report.step("too long is refused", is_too_long(wire, bytes_max)).await;
    true
}

async fn open(url: &str) -> Result<Wire, String> {
    let opened = Wire::open(url, None).await.map_err(|error| error.to_string())?;
    opened.map_err(|cause| explain(&cause))
}

async fn is_refused(wire: &mut Wire, text: &str) -> Result<(), String> {
    let answer = ask(wire, text).await?;
    match answer["payload"]["code"].as_str() {
        Some("INVALID_MESSAGE") => Ok(()),
        _ => Err(format!("the answer is {}, not INVALID_MESSAGE", kind(&answer))),
    }
}

/// Registers. Returns the longest message that the server accepts, in bytes.
async fn register(wire: &mut Wire) -> Result<u64, String> {
    let register = json!({
        "type": "REGISTER",
        "payload": {"clientId": throwaway_id("probe"), "protocol": 2},
    });
    let answer = ask(wire, &register.to_string()).await?;
    match kind(&answer) {
        "REGISTERED" => {
            Ok(answer["payload"]["maxMessageBytes"].as_u64().unwrap_or(MESSAGE_BYTES_MAX))
        }
        other => Err(format!("the answer is {other}, not REGISTERED")),
    }
}

async fn heartbeat(wire: &mut Wire) -> Result<(), String> {
    let answer = ask(wire, r#"{"type":"HEARTBEAT","payload":{}}"#).await?;
    match kind(&answer) {
        "HEARTBEAT_ACK" => Ok(()),
        other => Err(format!("the answer is {other}, not HEARTBEAT_ACK")),
    }
}

async fn ping(wire: &mut Wire) -> Result<(), String> {
    wire.ping().await.map_err(|cause| explain(&cause))?;
    while wire.receive().await.map_err(|cause| explain(&cause))?.is_some() {}
    Ok(())
}

async fn is_too_long(mut wire: Wire, bytes_max: u64) -> Result<(), String> {
    let bytes = usize::try_from(bytes_max).unwrap_or(usize::MAX).saturating_add(1).min(64 << 20);
    // The server closes on reading the length in the header, so the rest may not be read.
    let _ = wire.send(&"x".repeat(bytes)).await;
    loop {
        match wire.receive().await {
            Ok(_) => {}
            Err(Disconnect::Closed(1009)) => return Ok(()),
            Err(cause) => return Err(format!("not closed with 1009: {cause}")),
        }
    }
}

async fn ask(wire: &mut Wire, text: &str) -> Result<Value, String> {
    wire.send(text).await.map_err(|cause| explain(&cause))?;
    loop {
        if let Some(text) = wire.receive().await.map_err(|cause| explain(&cause))? {
            return serde_json::from_str(&text).map_err(|_| "the answer is not JSON".to_owned());
        }
    }
}

/// Returns the type of a message, if it is safe to print.
fn kind(message: &Value) -> &str {
    let kind = message["type"].as_str().unwrap_or("no message");
    let shows =
        kind.len() <= 32 && kind.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if shows { kind } else { "no message" }
}
