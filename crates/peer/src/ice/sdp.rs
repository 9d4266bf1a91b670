//! The little that is read of a description here; the rest is `str0m`'s.

use str0m::Candidate;

use super::candidate;

/// Candidates of the other end that are tried, whether they come in its description or later.
pub(crate) const REMOTE_CANDIDATES_MAX: usize = 64;

/// A description of the other end without its candidates, and the candidates. Taken apart, they
/// have the bound of those that come later, and one that cannot be read spoils nothing.
pub(crate) struct Remote {
    pub(crate) description: String,
    pub(crate) candidates: Vec<Candidate>,
}

impl Remote {
    pub(crate) fn new(sdp: &str) -> Self {
        let is_candidate = |line: &&str| line.starts_with("a=candidate:");
        let (candidates, others): (Vec<&str>, Vec<&str>) =
            sdp.split_inclusive('\n').partition(is_candidate);
        let candidates = candidates.into_iter().take(REMOTE_CANDIDATES_MAX);
        let candidates = candidates.filter_map(|line| candidate::from_line(line).ok().flatten());
        Self { candidates: candidates.collect(), description: others.concat() }
    }
}

/// Returns true if a description has a data channel (RFC 8841).
pub(crate) fn has_data_channel(sdp: &str) -> bool {
    sdp.lines()
        .any(|line| line.starts_with("m=application ") && !line.starts_with("m=application 0 "))
}

/// The `mid` of the first medium, which is the data channel's: it is the only one.
pub(crate) fn mid(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=mid:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\n";

    fn with(candidates: &str) -> Remote {
        Remote::new(&format!("{HEAD}{candidates}a=ice-ufrag:abcd\r\n"))
    }

    #[test]
    fn candidates_of_a_description_are_taken_out_of_it() {
        let remote = with("a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n");
        assert_eq!(remote.description, format!("{HEAD}a=ice-ufrag:abcd\r\n"));
        assert_eq!(remote.candidates[0].addr(), "192.0.2.1:5000".parse().unwrap());
    }

    #[test]
    fn they_are_bounded() {
        let candidate = |port| format!("a=candidate:1 1 udp 1 192.0.2.1 {port} typ host\r\n");
        let remote = with(&(1..=200).map(candidate).collect::<String>());
        assert_eq!(remote.candidates.len(), REMOTE_CANDIDATES_MAX);
    }

    #[test]
    fn one_that_cannot_be_read_spoils_nothing() {
        let remote = with(
            "a=candidate:?\r\na=candidate:1 1 udp 1 name.example 5000 typ host\r\n\
             a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n",
        );
        assert_eq!(remote.candidates.len(), 1);
    }

    #[test]
    fn the_mid_and_the_data_channel_are_found() {
        assert_eq!(mid(HEAD), Some("data"));
        assert!(has_data_channel(HEAD));
        assert!(!has_data_channel("v=0\r\nm=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
        assert!(!has_data_channel("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"));
    }
}
