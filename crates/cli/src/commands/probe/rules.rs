//! A test of the protocol's rules over a bare connection.

use securecall_client::{ClientId, Disconnect, ErrorCode, Wire};
use securecall_protocol::client::{Incoming, Outgoing, decode};

use super::report::Report;
use crate::terminal::explanation::explain;
use crate::throwaway_id::throwaway_id;

/// The message limit of a server that reports none (the reference protocol).
const MESSAGE_BYTES_MAX: usize = 65_536;

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
    match answer {
        Incoming::Error { code: Some(ErrorCode::InvalidMessage), .. } => Ok(()),
        other => Err(format!("the answer is {other:?}, not INVALID_MESSAGE")),
    }
}

/// Registers. Returns the longest message that the server accepts, in bytes.
async fn register(wire: &mut Wire) -> Result<usize, String> {
    let client_id =
        ClientId::try_from(throwaway_id("probe").as_str()).map_err(|error| error.to_string())?;
    let (resume_token, calls) = (None, Vec::new());
    let register = Outgoing::Register { client_id, protocol: 2, resume_token, last_seq: 0, calls };
    match ask(wire, &register.encode(None)).await? {
        Incoming::Registered { resumable, .. } => {
            let announced = resumable.and_then(|resumable| resumable.message_bytes_max);
            Ok(announced.unwrap_or(MESSAGE_BYTES_MAX))
        }
        other => Err(format!("the answer is {other:?}, not REGISTERED")),
    }
}

async fn heartbeat(wire: &mut Wire) -> Result<(), String> {
    match ask(wire, &Outgoing::Heartbeat {}.encode(None)).await? {
        Incoming::HeartbeatAck => Ok(()),
        other => Err(format!("the answer is {other:?}, not HEARTBEAT_ACK")),
    }
}

async fn ping(wire: &mut Wire) -> Result<(), String> {
    wire.ping().await.map_err(|cause| explain(&cause))?;
    while wire.receive().await.map_err(|cause| explain(&cause))?.is_some() {}
    Ok(())
}

async fn is_too_long(mut wire: Wire, bytes_max: usize) -> Result<(), String> {
    let bytes = bytes_max.saturating_add(1).min(64 << 20);
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

async fn ask(wire: &mut Wire, text: &str) -> Result<Incoming, String> {
    wire.send(text).await.map_err(|cause| explain(&cause))?;
    loop {
        if let Some(text) = wire.receive().await.map_err(|cause| explain(&cause))? {
            let received = decode(&text).ok_or("the answer is not a message of the protocol")?;
            return Ok(received.message);
        }
    }
}
