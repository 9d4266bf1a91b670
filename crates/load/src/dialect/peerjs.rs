//! The dialect of PeerJS server (npm `peer`).

use std::time::Duration;

use super::{Dialect, End, Received, field};

/// The id stands in the request, and messages are addressed to ids: nothing has to be set up.
#[derive(Clone, Copy, Debug)]
pub struct PeerJs;

/// It drops a client that has not sent one for 60 s.
const HEARTBEAT: (&str, Duration) = (r#"{"type":"HEARTBEAT"}"#, Duration::from_secs(20));

impl Dialect for PeerJs {
    fn request_path(&self, path: &str, end: &End) -> String {
        format!("{path}?key=peerjs&id={}&token={}", end.name, end.name)
    }

    fn open(&self, _: &End, _: &mut Vec<String>) {}

    fn pair(&self, caller: &mut End, callee: &mut End, _: &mut Vec<String>) -> bool {
        callee.name.clone_into(&mut caller.address);
        caller.name.clone_into(&mut callee.address);
        true
    }

    fn receive(&self, _: &mut End, text: &str, _: &mut Vec<String>) -> Received {
        match field(text, "type") {
            Some("CANDIDATE") => Received::Message,
            Some("OPEN") => Received::Registered,
            Some(code @ ("ERROR" | "ID-TAKEN" | "INVALID-KEY" | "LEAVE" | "EXPIRE")) => {
                Received::Error(code.to_owned())
            }
            _ => Received::Other,
        }
    }

    fn message(&self, end: &End, body: &str) -> String {
        format!(r#"{{"type":"CANDIDATE","dst":"{}","payload":"{body}"}}"#, end.address)
    }

    fn keepalive(&self) -> Option<(&'static str, Duration)> {
        Some(HEARTBEAT)
    }
}
