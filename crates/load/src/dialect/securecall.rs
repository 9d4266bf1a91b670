//! The dialect of our own server.

use super::{Dialect, End, Received, field};

/// `REGISTER`, then a call for each pair, and `ICE_CANDIDATE` as the message.
#[derive(Clone, Copy, Debug)]
pub struct SecureCall;

/// A server message about calls, as far as a load generator looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerText<'t> {
    Registered,
    IncomingCall { call_id: &'t str },
    CallAccepted { call_id: &'t str },
    CallRejected,
    CallEnded,
    IceCandidate,
    Error { code: &'t str },
    Other,
}

impl<'t> ServerText<'t> {
    /// Tells texts apart by how our server begins them, without parsing all of the JSON.
    pub(crate) fn read(text: &'t str) -> Self {
        let Some(rest) = text.strip_prefix(r#"{"type":""#) else { return Self::Other };
        // The most frequent first, and without a search.
        if rest.starts_with("ICE_CANDIDATE\"") {
            return Self::IceCandidate;
        }
        let value = |name| field(rest, name).unwrap_or_default();
        match rest.split('"').next().unwrap_or_default() {
            "REGISTERED" => Self::Registered,
            "INCOMING_CALL" => Self::IncomingCall { call_id: value("callId") },
            "CALL_ACCEPTED" => Self::CallAccepted { call_id: value("callId") },
            "CALL_REJECTED" => Self::CallRejected,
            "CALL_ENDED" => Self::CallEnded,
            "ERROR" => Self::Error { code: value("code") },
            _ => Self::Other,
        }
    }
}

pub(crate) fn register(client_id: &str) -> String {
    format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{client_id}"}}}}"#)
}

pub(crate) fn call_initiate(target_id: &str, offer: &str) -> String {
    format!(
        r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"{target_id}","sdpOffer":"{offer}"}}}}"#
    )
}

pub(crate) fn call_accept(call_id: &str, answer: &str) -> String {
    format!(r#"{{"type":"CALL_ACCEPT","payload":{{"callId":"{call_id}","sdpAnswer":"{answer}"}}}}"#)
}

pub(crate) fn call_reject(call_id: &str) -> String {
    format!(r#"{{"type":"CALL_REJECT","payload":{{"callId":"{call_id}"}}}}"#)
}

pub(crate) fn call_end(call_id: &str) -> String {
    format!(r#"{{"type":"CALL_END","payload":{{"callId":"{call_id}"}}}}"#)
}

pub(crate) fn ice_candidate(call_id: &str, candidate: &str) -> String {
    format!(
        r#"{{"type":"ICE_CANDIDATE","payload":{{"callId":"{call_id}","candidate":"{candidate}"}}}}"#
    )
}

impl Dialect for SecureCall {
    fn open(&self, end: &End, out: &mut Vec<String>) {
        out.push(register(&end.name));
    }

    fn pair(&self, caller: &mut End, callee: &mut End, out: &mut Vec<String>) -> bool {
        out.push(call_initiate(&callee.name, "offer"));
        caller.address.clear();
        false
    }

    fn receive(&self, end: &mut End, text: &str, out: &mut Vec<String>) -> Received {
        match ServerText::read(text) {
            ServerText::IceCandidate => Received::Message,
            ServerText::Registered => Received::Registered,
            ServerText::IncomingCall { call_id } => {
                out.push(call_accept(call_id, "answer"));
                call_id.clone_into(&mut end.address);
                Received::Paired
            }
            ServerText::CallAccepted { call_id } => {
                call_id.clone_into(&mut end.address);
                Received::Paired
            }
            ServerText::Error { code } => Received::Error(code.to_owned()),
            ServerText::CallRejected | ServerText::CallEnded | ServerText::Other => Received::Other,
        }
    }

    fn message(&self, end: &End, body: &str) -> String {
        ice_candidate(&end.address, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_makes_a_pair() {
        let mut caller = End { name: "a".into(), peer: "b".into(), address: String::new() };
        let mut callee = End { name: "b".into(), peer: "a".into(), address: String::new() };
        let mut out = Vec::new();
        assert!(!SecureCall.pair(&mut caller, &mut callee, &mut out));
        assert!(out[0].contains(r#""targetId":"b""#));
        let incoming = r#"{"type":"INCOMING_CALL","payload":{"callId":"c1","callerId":"a","sdpOffer":"offer"}}"#;
        assert_eq!(SecureCall.receive(&mut callee, incoming, &mut out), Received::Paired);
        assert!(out[1].contains(r#""callId":"c1""#));
        let accepted = r#"{"type":"CALL_ACCEPTED","payload":{"callId":"c1","sdpAnswer":"answer"}}"#;
        assert_eq!(SecureCall.receive(&mut caller, accepted, &mut out), Received::Paired);
        assert_eq!((caller.address.as_str(), callee.address.as_str()), ("c1", "c1"));
    }

    #[test]
    fn an_error_counts_by_its_code() {
        let text = r#"{"type":"ERROR","payload":{"code":"RATE_LIMITED","message":"slow down"}}"#;
        let received = SecureCall.receive(&mut End::default(), text, &mut Vec::new());
        assert_eq!(received, Received::Error("RATE_LIMITED".into()));
    }
}
