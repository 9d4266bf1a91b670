//! Candidates as text: the JSON of an `RTCIceCandidateInit`.

use serde::Deserialize;
use str0m::Candidate;

use crate::Error;

/// The text for the other end.
pub(crate) fn to_json(candidate: &Candidate) -> Option<String> {
    serde_json::to_string(candidate).ok()
}

/// Reads what the other end sent. `None`: it says that there are no more, or names a host by
/// multicast DNS (RFC 8828), which is not looked up here.
pub(crate) fn from_json(json: &str) -> Result<Option<Candidate>, Error> {
    #[derive(Deserialize)]
    struct Init {
        candidate: String,
    }
    let Init { candidate } = serde_json::from_str(json).map_err(|_| Error::Candidate)?;
    if candidate.is_empty() || candidate.split(' ').nth(4).is_some_and(|h| h.ends_with(".local")) {
        return Ok(None);
    }
    serde_json::from_str(json).map(Some).map_err(|_| Error::Candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_of_a_browser_is_read() {
        let json = r#"{"candidate":"candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0 ufrag x network-id 1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"x"}"#;
        let candidate = from_json(json).unwrap().unwrap();
        assert_eq!(candidate.addr(), "192.0.2.1:50000".parse().unwrap());
    }

    #[test]
    fn the_end_of_candidates_and_names_by_multicast_are_passed_over() {
        let name = r#"{"candidate":"candidate:1 1 udp 2122260223 0a1b.local 50000 typ host"}"#;
        assert_eq!(from_json(name), Ok(None));
        assert_eq!(from_json(r#"{"candidate":""}"#), Ok(None));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "{}", "candidate:1", r#"{"candidate":"candidate:1 1 udp"}"#, "[]"] {
            assert_eq!(from_json(text), Err(Error::Candidate), "{text}");
        }
    }
}
