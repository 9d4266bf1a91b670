//! The one thread that writes: group commit.
//!
//! It never answers a request before the commit that holds it is on disk. An fsync takes as long
//! for a hundred records as for one, so whatever queued up during the last commit shares the next.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use redb::{Database, ReadableTable, ReadableTableMetadata as _, Table};
use securecall_core::directory::{Decision, decide};
use securecall_protocol::ClientId;
use tokio::sync::oneshot;

use super::database::{KEYS, begin_write};
use super::population::Population;
use super::volume::{RETRY_PAUSE, Volume};
use crate::directory::import::{Conflicts, Import, Imported};
use crate::directory::{Creation, RegisterError, Registered, Terms, Unavailable};

/// What the thread is asked to write.
pub(crate) enum Change {
    Register(Registration),
    Import(Importation),
    Reset(Removal),
}

/// A client's key.
pub(crate) struct Registration {
    pub(crate) id: Box<str>,
    pub(crate) key: Box<str>,
    pub(crate) terms: Terms,
    pub(crate) answer: oneshot::Sender<Result<Registered, RegisterError>>,
}

/// An operator's records.
pub(crate) struct Importation {
    pub(crate) import: Import,
    pub(crate) answer: SyncSender<Result<Result<Imported, Conflicts>, Unavailable>>,
}

/// Ids that an operator frees.
pub(crate) struct Removal {
    pub(crate) ids: Vec<ClientId>,
    pub(crate) answer: SyncSender<Result<Vec<bool>, Unavailable>>,
}

pub(crate) struct Writer {
    volume: Arc<Volume>,
    population: Arc<Population>,
    /// When the last commit failed. Every failure has the database opened again, and lookups wait
    /// meanwhile: a full disk must not make that their permanent state.
    failed_at: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(volume: Arc<Volume>, population: Arc<Population>) -> Self {
        Self { volume, population, failed_at: None }
    }

    /// Decides and commits a batch, then answers all of it.
    ///
    /// # Errors
    /// All of it was answered so.
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
        let result = self.volume.with(|database| commit(database, &self.population, batch));
        self.failed_at = result.is_err().then(Instant::now);
        result
    }
}

/// What a change does, as decided and not yet committed.
enum Effect {
    Registered(Result<Registered, RegisterError>),
    Imported(Result<Imported, Conflicts>),
    /// Whether each id had a key.
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
    population: &Population,
    batch: &[Change],
) -> Result<Vec<Effect>, redb::Error> {
    let transaction = begin_write(database)?;
    let mut keys = transaction.open_table(KEYS)?;
    // In their order; each sees the ones before it.
    let records_max = population.records_max();
    let effects: Result<Vec<_>, _> =
        batch.iter().map(|change| apply(&mut keys, change, records_max)).collect();
    let (effects, records) = (effects?, keys.len()?);
    drop(keys);
    if effects.iter().any(Effect::writes) {
        transaction.commit()?;
        population.set_records(records);
    } else {
        // Nothing to keep: clients that present their key at each start cost no fsync.
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
        Change::Import(Importation { import, .. }) => take_in(keys, import).map(Effect::Imported),
        Change::Reset(Removal { ids, .. }) => remove(keys, ids).map(Effect::Reset),
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

/// Tells whoever asked. They may have left: what was committed stays all the same.
fn answer(change: Change, effect: Result<Effect, Unavailable>) {
    match (change, effect) {
        (Change::Register(Registration { answer, .. }), Ok(Effect::Registered(result))) => {
            let _ = answer.send(result);
        }
        (Change::Register(Registration { answer, .. }), _) => {
            let _ = answer.send(Err(Unavailable.into()));
        }
        (Change::Import(Importation { answer, .. }), Ok(Effect::Imported(imported))) => {
            let _ = answer.send(Ok(imported));
        }
        (Change::Import(Importation { answer, .. }), _) => {
            let _ = answer.send(Err(Unavailable));
        }
        (Change::Reset(Removal { answer, .. }), Ok(Effect::Reset(had_key))) => {
            let _ = answer.send(Ok(had_key));
        }
        (Change::Reset(Removal { answer, .. }), _) => {
            let _ = answer.send(Err(Unavailable));
        }
    }
}
