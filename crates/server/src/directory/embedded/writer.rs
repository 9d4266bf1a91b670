//! The only thread that writes: group commit.
//!
//! It never answers a request before its commit is on disk. An fsync takes as long for a hundred
//! records as for one, so all requests that queued up during the last commit share the next.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use redb::{Database, ReadableTable, ReadableTableMetadata as _, Table};
use securecall_core::directory::{Decision, decide};
use securecall_protocol::ClientId;
use tokio::sync::oneshot;

use super::database::{KEYS, begin_write};
use super::record_count::RecordCount;
use super::volume::{RETRY_PAUSE, Volume};
use crate::directory::import::{Conflicts, Import, Imported};
use crate::directory::{Creation, RegisterError, Registered, Terms, Unavailable};

/// A change that the thread has to write.
pub(crate) enum Change {
    Register(Registration),
    Import(ImportRequest),
    Reset(ResetRequest),
}

/// The registration of a client's key.
pub(crate) struct Registration {
    pub(crate) id: Box<str>,
    pub(crate) key: Box<str>,
    pub(crate) terms: Terms,
    pub(crate) answer: oneshot::Sender<Result<Registered, RegisterError>>,
}

/// The import of an operator's records.
pub(crate) struct ImportRequest {
    pub(crate) import: Import,
    pub(crate) answer: SyncSender<Result<Result<Imported, Conflicts>, Unavailable>>,
}

/// The removal of keys by an operator.
pub(crate) struct ResetRequest {
    pub(crate) ids: Vec<ClientId>,
    pub(crate) answer: SyncSender<Result<Vec<bool>, Unavailable>>,
}

pub(crate) struct Writer {
    volume: Arc<Volume>,
    record_count: Arc<RecordCount>,
    /// The time of the last failed commit. After each failure the database is opened again, and
    /// lookups wait for that: with a full disk this must not happen all the time.
    failed_at: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(volume: Arc<Volume>, record_count: Arc<RecordCount>) -> Self {
        Self { volume, record_count, failed_at: None }
    }

    /// Decides and commits a batch, then answers all of it.
    ///
    /// # Errors
    /// The commit failed, and all requests got that answer.
    pub(crate) fn write(&mut self, batch: Vec<Change>) -> Result<(), Unavailable> {
        match self.commit(&batch) {
            Ok(effects) => {
                for (change, effect) in batch.into_iter().zip(effects) {
                    answer(change, Ok(effect));
                }
                Ok(())
            }
            Err(unavailable) => {
                for change in batch {
                    answer(change, Err(unavailable));
                }
                Err(unavailable)
            }
        }
    }

    fn commit(&mut self, batch: &[Change]) -> Result<Vec<Effect>, Unavailable> {
        if self.failed_at.is_some_and(|at| at.elapsed() < RETRY_PAUSE) {
            return Err(Unavailable);
        }
        let result = self.volume.with(|database| commit(database, &self.record_count, batch));
        self.failed_at = result.is_err().then(Instant::now);
        result
    }
}

/// The effect of a change, decided but not committed yet.
enum Effect {
    Registered(Result<Registered, RegisterError>),
    Imported(Result<Imported, Conflicts>),
    /// For each id: true if it had a key.
    Reset(Vec<bool>),
}

impl Effect {
    fn writes(&self) -> bool {
        match self {
            Self::Registered(Ok(Registered::Created | Registered::Replaced)) => true,
            Self::Registered(_) => false,
            Self::Imported(Ok(imported)) => imported.new + imported.replaced > 0,
            Self::Imported(Err(_)) => false,
            Self::Reset(had_key) => had_key.contains(&true),
        }
    }
}

fn commit(
    database: &Database,
    record_count: &RecordCount,
    batch: &[Change],
) -> Result<Vec<Effect>, redb::Error> {
    let transaction = begin_write(database)?;
    let mut keys = transaction.open_table(KEYS)?;
    // In order: each change sees the ones before it.
    let records_max = record_count.records_max();
    let effects: Result<Vec<_>, _> =
        batch.iter().map(|change| apply(&mut keys, change, records_max)).collect();
    let (effects, records) = (effects?, keys.len()?);
    drop(keys);
    if effects.iter().any(Effect::writes) {
        transaction.commit()?;
        record_count.set_records(records);
    } else {
        // Nothing changed: clients that register their key at each start cost no fsync.
        transaction.abort()?;
    }
    Ok(effects)
}

/// The open table of a transaction.
type Keys<'a> = Table<'a, &'static str, &'static str>;

fn apply(keys: &mut Keys<'_>, change: &Change, records_max: u64) -> Result<Effect, redb::Error> {
    match change {
        Change::Register(registration) => {
            register(keys, registration, records_max).map(Effect::Registered)
        }
        Change::Import(ImportRequest { import, .. }) => take_in(keys, import).map(Effect::Imported),
        Change::Reset(ResetRequest { ids, .. }) => remove(keys, ids).map(Effect::Reset),
    }
}

fn register(
    keys: &mut Keys<'_>,
    registration: &Registration,
    records_max: u64,
) -> Result<Result<Registered, RegisterError>, redb::Error> {
    let Registration { id, key, terms, .. } = registration;
    let full = keys.len()? >= records_max;
    let creation = if full { Creation::Refused } else { terms.creation };
    let existing = keys.get(&**id)?;
    let stored = existing.as_ref().map(|key| key.value());
    let decision = decide(stored, key, Terms { creation, ..*terms });
    drop(existing);
    let registered = match decision {
        Decision::Create => Registered::Created,
        Decision::Replace => Registered::Replaced,
        Decision::Keep => return Ok(Ok(Registered::Kept)),
        Decision::Pinned => return Ok(Err(RegisterError::Pinned)),
        Decision::NotCreated if full => return Ok(Err(RegisterError::Full)),
        Decision::NotCreated => return Ok(Err(RegisterError::NotCreated)),
    };
    keys.insert(&**id, &**key)?;
    Ok(Ok(registered))
}

fn take_in(
    keys: &mut Keys<'_>,
    import: &Import,
) -> Result<Result<Imported, Conflicts>, redb::Error> {
    let key_of = |id: &str| Ok::<_, redb::Error>(keys.get(id)?.map(|key| key.value().into()));
    let plan = match import.plan(key_of)? {
        Ok(plan) => plan,
        Err(conflicts) => return Ok(Err(conflicts)),
    };
    for record in plan.writes.iter().filter_map(|place| import.records().get(*place)) {
        keys.insert(record.client_id.as_str(), &*record.public_key)?;
    }
    Ok(Ok(plan.imported))
}

fn remove(keys: &mut Keys<'_>, ids: &[ClientId]) -> Result<Vec<bool>, redb::Error> {
    ids.iter().map(|id| Ok(keys.remove(id.as_str())?.is_some())).collect()
}

/// Sends the answer. An error means that the caller has left; what was committed stays.
fn answer(change: Change, effect: Result<Effect, Unavailable>) {
    match (change, effect) {
        (Change::Register(Registration { answer, .. }), Ok(Effect::Registered(result))) => {
            let _ = answer.send(result);
        }
        (Change::Register(Registration { answer, .. }), _) => {
            let _ = answer.send(Err(Unavailable.into()));
        }
        (Change::Import(ImportRequest { answer, .. }), Ok(Effect::Imported(imported))) => {
            let _ = answer.send(Ok(imported));
        }
        (Change::Import(ImportRequest { answer, .. }), _) => {
            let _ = answer.send(Err(Unavailable));
        }
        (Change::Reset(ResetRequest { answer, .. }), Ok(Effect::Reset(had_key))) => {
            let _ = answer.send(Ok(had_key));
        }
        (Change::Reset(ResetRequest { answer, .. }), _) => {
            let _ = answer.send(Err(Unavailable));
        }
    }
}
