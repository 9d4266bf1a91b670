//! Candidates as text: the JSON of an `RTCIceCandidateInit`.

use serde::{Deserialize, Serialize};
use str0m::Candidate;
use str0m::net::Protocol;

use crate::Error;

/// A candidate as we send it. No field is null: some stacks refuse that.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutgoingInit<'a> {
    candidate: String,
    sdp_mid: &'a str,
    #[serde(rename = "sdpMLineIndex")]
    sdp_m_line_index: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    username_fragment: Option<&'a str>,
}

/// A candidate as we accept it: stacks write null, leave fields out, and copy `a=` from the
/// description.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IncomingInit {
    // By name, so that it must be there.
    #[serde(deserialize_with = "Option::deserialize")]
    candidate: Option<String>,
    username_fragment: Option<String>,
}

/// Writes a candidate for the other end. `mid` is that of the data channel.
pub(crate) fn to_json(candidate: &Candidate, mid: &str) -> Option<String> {
    let init = OutgoingInit {
        candidate: candidate.to_sdp_string(),
        sdp_mid: mid,
        sdp_m_line_index: 0,
        username_fragment: candidate.ufrag(),
    };
    serde_json::to_string(&init).ok()
}

/// Reads a candidate of the other end. Returns `None` at the end of candidates, and for a candidate
/// of a kind that is not tried here.
pub(crate) fn from_json(json: &str) -> Result<Option<Candidate>, Error> {
    // Browsers write null for the end of candidates.
    let init: Option<IncomingInit> = serde_json::from_str(json).map_err(|_| Error::Candidate)?;
    let Some(IncomingInit { candidate: Some(line), username_fragment }) = init else {
        return Ok(None);
    };
    let mut candidate = from_line(&line)?;
    if let (Some(candidate), Some(ufrag)) = (&mut candidate, username_fragment) {
        candidate.set_ufrag(&ufrag);
    }
    Ok(candidate)
}

/// Reads a candidate attribute, with or without the words before its value. Returns `None` if it is
/// empty, is for TCP, or names a host by multicast DNS (RFC 8828), which is not looked up here.
pub(crate) fn from_line(line: &str) -> Result<Option<Candidate>, Error> {
    const HOST: usize = 4;
    let line = line.trim();
    let line = line.strip_prefix("a=").unwrap_or(line);
    let value = line.strip_prefix("candidate:").unwrap_or(line);
    let host = value.split_whitespace().nth(HOST).unwrap_or_default();
    if value.is_empty() || host.to_ascii_lowercase().ends_with(".local") {
        return Ok(None);
    }
    let candidate = Candidate::from_sdp_string(&format!("candidate:{value}"));
    let candidate = candidate.map_err(|_| Error::Candidate)?;
    Ok((candidate.proto() == Protocol::Udp).then_some(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0";

    #[track_caller]
    fn assert_read(json: &str) {
        let candidate = from_json(json).unwrap().unwrap();
        assert_eq!(candidate.addr(), "192.0.2.1:50000".parse().unwrap());
    }

    #[test]
    fn a_candidate_of_a_browser_is_read() {
        assert_read(&format!(
            r#"{{"candidate":"{LINE} ufrag x network-id 1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"x"}}"#
        ));
    }

    #[test]
    fn candidates_as_other_stacks_write_them_are_read() {
        assert_read(&format!(r#"{{"candidate":"a={LINE}"}}"#));
        assert_read(&format!(r#"{{"candidate":"{LINE}\r\n","sdpMid":""}}"#));
        let value = LINE.strip_prefix("candidate:").unwrap();
        assert_read(&format!(r#"{{"candidate":"{value}"}}"#));
        let upper = LINE.replace("udp", "UDP");
        assert_read(&format!(r#"{{"candidate":"{upper}"}}"#));
        assert_read(&format!(
            r#"{{"candidate":"{LINE}","sdpMid":null,"sdpMLineIndex":null,"usernameFragment":null}}"#
        ));
    }

    #[test]
    fn the_end_of_candidates_and_kinds_that_are_not_tried_are_skipped() {
        for json in [
            "null",
            r#"{"candidate":null}"#,
            r#"{"candidate":""}"#,
            r#"{"candidate":"candidate:"}"#,
            r#"{"candidate":"candidate:1 1 udp 2122260223 0a1b.local 50000 typ host"}"#,
            r#"{"candidate":"candidate:1 1 udp 2122260223 0A1B.LOCAL 50000 typ host"}"#,
            r#"{"candidate":"candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active"}"#,
        ] {
            assert_eq!(from_json(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "{}", "candidate:1", r#"{"candidate":"candidate:1 1 udp"}"#, "[]", "7"] {
            assert_eq!(from_json(text), Err(Error::Candidate), "{text}");
        }
    }

    #[test]
    fn a_sent_candidate_has_no_null() {
        let candidate = Candidate::host("192.0.2.1:50000".parse().unwrap(), "udp").unwrap();
        let json = to_json(&candidate, "data").unwrap();
        assert!(!json.contains("null"), "{json}");
        assert!(json.contains(r#""sdpMid":"data","sdpMLineIndex":0"#), "{json}");
        assert_read(&json);
    }
}
