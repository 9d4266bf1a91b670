//! Decisions about clients that are not in the file yet.

use std::collections::BTreeMap;

use super::entries::Fingerprints;

/// Bound of the keys that are remembered of a server's clients. Only people that were called, or
/// whose call was accepted, are.
pub(super) const REMEMBERED_MAX: usize = 10_000;

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A key seen for the first time. One that another program has remembered meanwhile counts
    /// more: nobody has compared this one.
    Met(String),
    /// Takes the place of any other: the application has decided so.
    Trusted(String),
    Forgotten,
}

impl Change {
    pub(super) fn apply(&self, client_id: &str, fingerprints: &mut Fingerprints) {
        let known = fingerprints.contains_key(client_id);
        let room = known || fingerprints.len() < REMEMBERED_MAX;
        match self {
            Self::Forgotten => drop(fingerprints.remove(client_id)),
            Self::Met(_) if known => {}
            Self::Met(fingerprint) | Self::Trusted(fingerprint) if room => {
                fingerprints.insert(client_id.into(), fingerprint.clone());
            }
            Self::Met(_) | Self::Trusted(_) => {}
        }
    }
}

/// The last change to each client.
#[derive(Clone, Default)]
pub(super) struct Changes(BTreeMap<Box<str>, Change>);

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn concerns(&self, client_id: &str) -> bool {
        self.0.contains_key(client_id)
    }

    pub(super) fn insert(&mut self, client_id: &str, change: Change) {
        self.0.insert(client_id.into(), change);
    }

    pub(super) fn apply(&self, fingerprints: &mut Fingerprints) {
        for (client_id, change) in &self.0 {
            change.apply(client_id, fingerprints);
        }
    }

    /// These are saved. What was decided since stays to be done.
    pub(super) fn settle(&mut self, saved: &Self) {
        self.0.retain(|client_id, change| saved.0.get(client_id) != Some(change));
    }

    /// Clients whose keys there was no room for.
    pub(super) fn without_room(&self, fingerprints: &Fingerprints) -> Vec<Box<str>> {
        let missing = self.0.iter().filter(|(client_id, change)| {
            !matches!(change, Change::Forgotten) && !fingerprints.contains_key(*client_id)
        });
        missing.map(|(client_id, _)| client_id.clone()).collect()
    }

    /// Clients that were met with a key, and that others know with another one.
    pub(super) fn overruled(&self, by: &Fingerprints) -> Vec<Box<str>> {
        let overruled = self.0.iter().filter(|(client_id, change)| match change {
            Change::Met(met) => by.get(*client_id).is_some_and(|known| known != met),
            Change::Trusted(_) | Change::Forgotten => false,
        });
        overruled.map(|(client_id, _)| client_id.clone()).collect()
    }
}
