//! The meanings of codes and reasons, in words. A new one does not compile until it has some.

use securecall_protocol::{CloseCode, EndReason, ErrorCode, RejectReason};
use serde_json::{Value, json};

pub(crate) const fn error_code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidMessage => {
            "not a message of the protocol, or a field is missing or wrong"
        }
        ErrorCode::NotRegistered => "anything but REGISTER before REGISTERED",
        ErrorCode::TargetNotFound => "the target of a call is not connected at this moment",
        ErrorCode::CallNotFound => "there is no such call, it is over, or it is not this client's",
        ErrorCode::RateLimited => "too many messages of this kind, or in too many calls",
        ErrorCode::InvalidState => "the right message at the wrong moment",
        ErrorCode::Unauthorized => "PKD_REGISTER for another id than one's own",
        ErrorCode::KeyPinned => "the directory holds another key for this id",
        ErrorCode::Unavailable => "the directory cannot answer for now",
    }
}

pub(crate) const fn reject_reason(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::Declined => "the callee declined",
        RejectReason::Busy => "the callee is in another call, or in as many as it is allowed",
        RejectReason::Clock { .. } => "the clocks of the two ends are too far apart",
    }
}

pub(crate) const fn end_reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Hangup => "the other end hung up",
        EndReason::Cancelled => "the caller gave up before the answer",
        EndReason::Timeout => "the call was not answered in time",
        EndReason::Unreachable => "an end was lost and did not come back, or cannot be reached",
        EndReason::Glare => "both ends called each other; the other of the two calls goes on",
        EndReason::Superseded => "an end's id was registered anew, without presenting the call",
    }
}

const fn close_code(code: CloseCode) -> &'static str {
    match code {
        CloseCode::Normal => "the answer to the client's own 1000",
        CloseCode::Protocol => "the bytes are not WebSocket (RFC 6455)",
        CloseCode::Unsupported => "a binary message",
        CloseCode::NotUtf8 => "text that is not UTF-8",
        CloseCode::TooBig => "a message over the size limit",
        CloseCode::Draining => "the server restarts",
        CloseCode::Overloaded => "the client reads too slowly",
        CloseCode::Superseded => "a newer connection registered this id",
        CloseCode::RegisterTimeout => "no REGISTER in time",
        CloseCode::Silent => "the client was silent for too long",
    }
}

/// The close codes of the server, with what a client does about each.
pub(crate) fn close_codes() -> Value {
    let described = |code: CloseCode| {
        json!({
            "code": code.code(),
            "reason": code.reason(),
            "description": close_code(code),
            "reconnect": reconnects_after(code.code()),
        })
    };
    CloseCode::ALL.map(described).into_iter().collect()
}

/// Clients stop for good on 1000 and on 4000–4099, and reconnect on anything else.
const fn reconnects_after(code: u16) -> bool {
    !matches!(code, 1000 | 4000..=4099)
}
