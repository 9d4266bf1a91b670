//! The candidates that were tried when no path was found.

use std::fmt;

use str0m::CandidateKind;

use crate::RelayFailure;

/// Candidates of one end by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Addresses of its machine.
    pub host: usize,
    /// Addresses of its NAT, as STUN servers see them.
    pub reflexive: usize,
    /// Relays.
    pub relayed: usize,
}

/// The candidates of both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paths {
    /// Of this end.
    pub here: Kinds,
    /// Of the other end, as far as they arrived.
    pub there: Kinds,
    /// The reason that this end has no relay. `None`: it has one, or there was no TURN server to
    /// ask.
    pub relay_failure: Option<RelayFailure>,
}

impl Kinds {
    pub(crate) const fn add(&mut self, kind: CandidateKind) {
        let count = match kind {
            CandidateKind::Host => &mut self.host,
            CandidateKind::Relayed => &mut self.relayed,
            CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => &mut self.reflexive,
        };
        *count += 1;
    }

    fn are_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.are_empty() {
            return write!(f, "no address");
        }
        let kinds = [(self.host, "host"), (self.reflexive, "reflexive"), (self.relayed, "relayed")];
        let named = kinds.iter().filter(|(count, _)| *count > 0);
        let named: Vec<_> = named.map(|(count, name)| format!("{count} {name}")).collect();
        write!(f, "{}", named.join(", "))
    }
}

impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "addresses here: {}; there: {}", self.here, self.there)?;
        match self.relay_failure {
            Some(failure) => write!(f, "; no relay here: {failure}"),
            None if self.there.are_empty() => write!(f, "; the other end sent no address in time"),
            None if self.here.relayed + self.there.relayed == 0 => {
                write!(f, "; between networks that let nothing in, a TURN server helps")
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(host: usize, reflexive: usize, relayed: usize) -> Kinds {
        Kinds { host, reflexive, relayed }
    }

    #[test]
    fn the_text_names_what_was_tried_and_what_would_help() {
        let direct = Paths { here: kinds(2, 1, 0), there: kinds(1, 0, 0), relay_failure: None };
        assert_eq!(
            direct.to_string(),
            "addresses here: 2 host, 1 reflexive; there: 1 host; between networks that let nothing \
             in, a TURN server helps"
        );
        let silent = Paths { here: kinds(1, 0, 0), ..Paths::default() };
        assert_eq!(
            silent.to_string(),
            "addresses here: 1 host; there: no address; the other end sent no address in time"
        );
        let refused = Paths { relay_failure: Some(RelayFailure::Credential), ..direct };
        assert!(refused.to_string().ends_with(
            "no relay here: the TURN server refused the credential: it is wrong, or has expired"
        ));
        let relayed = Paths { here: kinds(0, 0, 1), there: kinds(0, 0, 1), relay_failure: None };
        assert_eq!(relayed.to_string(), "addresses here: 1 relayed; there: 1 relayed");
    }
}
