//! The one thread that writes: group commit.
//!
//! It never answers a request before the commit that holds it is on disk. An fsync takes as long
//! for a hundred records as for one, so whatever queued up during the last commit shares the next.

use std::sync::Arc;
use std::time::Instant;

use redb::{Database, ReadableTable, WriteTransaction};
use securecall_core::directory::{Decision, decide};
use tokio::sync::oneshot;

use super::database::{KEYS, begin_write};
use super::volume::{RETRY_PAUSE, Volume};
use super::{RegisterError, Registered, Replacement, Unavailable};

pub(super) struct Registration {
    pub(super) id: Box<str>,
    pub(super) key: Box<str>,
    pub(super) replacement: Replacement,
    pub(super) answer: oneshot::Sender<Result<Registered, RegisterError>>,
}

pub(super) struct Writer {
    volume: Arc<Volume>,
    /// When the last commit failed. Every failure has the database opened again, and lookups wait
    /// meanwhile: a full disk must not make that their permanent state.
    failed_at: Option<Instant>,
}

impl Writer {
    pub(super) fn new(volume: Arc<Volume>) -> Self {
        Self { volume, failed_at: None }
    }

    /// Decides and commits a batch, then answers all of it.
    pub(super) fn write(&mut self, batch: Vec<Registration>) {
        match self.commit(&batch) {
            Ok(decisions) => {
                for (registration, decision) in batch.into_iter().zip(decisions) {
                    answer(registration, outcome(decision));
                }
            }
            Err(unavailable) => {
                for registration in batch {
                    answer(registration, Err(unavailable.into()));
                }
            }
        }
    }

    fn commit(&mut self, batch: &[Registration]) -> Result<Vec<Decision>, Unavailable> {
        if self.failed_at.is_some_and(|at| at.elapsed() < RETRY_PAUSE) {
            return Err(Unavailable);
        }
        let result = self.volume.with(|database| commit(database, batch));
        self.failed_at = result.is_err().then(Instant::now);
        result
    }
}

fn commit(database: &Database, batch: &[Registration]) -> Result<Vec<Decision>, redb::Error> {
    let transaction = begin_write(database)?;
    let decisions = apply(&transaction, batch)?;
    if decisions.iter().copied().any(writes) {
        transaction.commit()?;
    } else {
        // Nothing to keep: clients that present their key at each start cost no fsync.
        transaction.abort()?;
    }
    Ok(decisions)
}

/// Applies the requests in their order; each sees the ones before it.
fn apply(
    transaction: &WriteTransaction,
    batch: &[Registration],
) -> Result<Vec<Decision>, redb::Error> {
    let mut keys = transaction.open_table(KEYS)?;
    let mut decisions = Vec::with_capacity(batch.len());
    for Registration { id, key, replacement, .. } in batch {
        let existing = keys.get(&**id)?;
        let decision = decide(existing.as_ref().map(|key| key.value()), key, *replacement);
        drop(existing);
        if writes(decision) {
            keys.insert(&**id, &**key)?;
        }
        decisions.push(decision);
    }
    Ok(decisions)
}

fn writes(decision: Decision) -> bool {
    match decision {
        Decision::Create | Decision::Replace => true,
        Decision::Keep | Decision::Pinned => false,
    }
}

fn outcome(decision: Decision) -> Result<Registered, RegisterError> {
    match decision {
        Decision::Create => Ok(Registered::Created),
        Decision::Keep => Ok(Registered::Kept),
        Decision::Replace => Ok(Registered::Replaced),
        Decision::Pinned => Err(RegisterError::Pinned),
    }
}

fn answer(registration: Registration, outcome: Result<Registered, RegisterError>) {
    // The client may have left; its key is registered all the same.
    let _ = registration.answer.send(outcome);
}
