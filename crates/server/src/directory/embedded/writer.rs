//! The one thread that writes: group commit.
//!
//! It never answers a request before the commit that holds it is on disk. An fsync takes as long
//! for a hundred records as for one, so whatever queued up during the last commit shares the next.
//!
//! **The order in a commit.** What was asked for takes effect in its order, each seeing the ones
//! before; then the resets that are due are carried out. So a link that objects to a reset and a
//! reset that falls due meet here, and one of both happens.
//!
//! **The order after it.** The index has the new heads and the watchers are told, and only then is
//! anybody answered.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use redb::{Database, ReadableTable as _};
use securecall_core::chains::Brought;
use securecall_identity::{Id, Link};
use securecall_protocol::ClientId;
use tokio::sync::oneshot;

use super::clock::Clock;
use super::database::begin_write;
use super::index::{Index, Move};
use super::ledger::Ledger;
use super::population::Population;
use super::tables::heads;
use super::volume::{RETRY_PAUSE, Volume};
use crate::directory::import::{Conflicts, Import, Imported, Stored};
use crate::directory::record::Identity;
use crate::directory::{
    Creation, ExtendError, Extended, PublishError, Published, RegisterError, Registered, Reset,
    Terms, Unavailable,
};

/// What the thread is asked to write.
pub(crate) enum Change {
    Register(Registration),
    Extend(Extension),
    Publish(Publication),
    Import(Importation),
    Reset(Removal),
    CancelReset(Withdrawal),
}

/// A client's key.
pub(crate) struct Registration {
    pub(crate) id: Box<str>,
    pub(crate) key: Box<str>,
    pub(crate) terms: Terms,
    pub(crate) answer: oneshot::Sender<Result<Registered, RegisterError>>,
}

/// A link, whoever brought it.
pub(crate) struct Extension {
    pub(crate) link: Link,
    pub(crate) creation: Creation,
    pub(crate) answer: oneshot::Sender<Result<Extended, ExtendError>>,
}

/// A client's KEM keys.
pub(crate) struct Publication {
    pub(crate) id: Id,
    pub(crate) bundle: Box<[u8]>,
    pub(crate) answer: oneshot::Sender<Result<Published, PublishError>>,
}

/// An operator's records.
pub(crate) struct Importation {
    pub(crate) import: Import,
    pub(crate) answer: SyncSender<Result<Result<Imported, Conflicts>, Unavailable>>,
}

/// Ids that an operator frees, at once or after the delay.
pub(crate) struct Removal {
    pub(crate) ids: Vec<ClientId>,
    pub(crate) delay: Duration,
    pub(crate) answer: SyncSender<Result<Vec<Reset>, Unavailable>>,
}

/// Ids whose resets an operator withdraws.
pub(crate) struct Withdrawal {
    pub(crate) ids: Vec<ClientId>,
    pub(crate) answer: SyncSender<Result<Vec<bool>, Unavailable>>,
}

pub(crate) struct Writer {
    volume: Arc<Volume>,
    population: Arc<Population>,
    index: Arc<Index>,
    clock: Clock,
    /// When the last commit failed. Every failure has the database opened again, and lookups wait
    /// meanwhile: a full disk must not make that their permanent state.
    failed_at: Option<Instant>,
    /// When time was last counted for resets that wait, or was lost to a failure.
    counted_at: Duration,
    /// When to count again; `None` while no reset waits.
    next_count_at: Option<Duration>,
}

impl Writer {
    /// `first_count` is when to count time for the first time, if a reset waits.
    pub(crate) fn new(
        volume: Arc<Volume>,
        population: Arc<Population>,
        index: Arc<Index>,
        clock: Clock,
        first_count: Option<Duration>,
    ) -> Self {
        let counted_at = (clock.open_for)();
        let next_count_at = first_count.map(|wait| counted_at + wait);
        Self { volume, population, index, clock, failed_at: None, counted_at, next_count_at }
    }

    /// Decides and commits a batch, then answers all of it. An empty one counts time.
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

    /// How long to wait before [`Writer::write`] is called with nothing; `None`: for ever.
    pub(crate) fn wait(&self) -> Option<Duration> {
        if !self.index.is_settled() {
            return Some(RETRY_PAUSE);
        }
        let now = (self.clock.open_for)();
        self.next_count_at.map(|at| at.saturating_sub(now))
    }

    fn commit(&mut self, batch: &[Change]) -> Result<Vec<Effect>, Unavailable> {
        if self.failed_at.is_some_and(|at| at.elapsed() < RETRY_PAUSE) {
            return Err(Unavailable);
        }
        let result = self.settle().and_then(|()| self.commit_settled(batch));
        self.failed_at = result.is_err().then(Instant::now);
        result
    }

    /// Reads again what the commit that failed may have changed: nothing is decided before that.
    fn settle(&self) -> Result<(), Unavailable> {
        let ids = self.index.unsettled();
        if ids.is_empty() {
            return Ok(());
        }
        let found = self.volume.with(|database| heads(database, Some(&ids)))?;
        self.index.settle(found);
        Ok(())
    }

    fn commit_settled(&mut self, batch: &[Change]) -> Result<Vec<Effect>, Unavailable> {
        let (now, open_for) = ((self.clock.unix)(), (self.clock.open_for)());
        let is_due = self.next_count_at.is_some_and(|at| at <= open_for);
        let asks_for_reset = batch.iter().any(|change| matches!(change, Change::Reset(_)));
        let counts = is_due || asks_for_reset || batch.is_empty();
        let elapsed = self.clock.that_counts(open_for.saturating_sub(self.counted_at));
        let elapsed = counts.then_some(elapsed);
        let records_max = self.population.records_max();
        let mut moves = Vec::new();
        let order = Order { batch, records_max, now, elapsed };
        let result = self.volume.with(|database| order.commit(database, &mut moves));
        if counts {
            self.counted_at = open_for;
        }
        match result {
            Ok(Committed { effects, records, next_count }) => {
                if let Some(records) = records {
                    self.population.set_records(records);
                }
                if counts {
                    self.next_count_at = next_count.map(|wait| open_for + wait);
                }
                self.index.apply(&moves);
                Ok(effects)
            }
            Err(unavailable) => {
                // Nobody could have objected.
                self.counted_at = open_for;
                self.next_count_at = self.next_count_at.map(|_| open_for + RETRY_PAUSE);
                self.index.unsettle(&moves);
                // Most failures are over when the database is open again.
                let _ = self.settle();
                Err(unavailable)
            }
        }
    }
}

/// What a change does, as decided and not yet committed.
enum Effect {
    Registered(Result<Registered, RegisterError>),
    Extended(Result<Extended, ExtendError>),
    Published(Result<Published, PublishError>),
    Imported(Result<Imported, Conflicts>),
    Reset(Vec<Reset>),
    /// Whether a reset of each id waited.
    Cancelled(Vec<bool>),
}

/// One commit, before it is made.
struct Order<'a> {
    batch: &'a [Change],
    records_max: u64,
    /// Seconds since 1970.
    now: u64,
    /// The time that counts for resets; `None`: it is not counted now.
    elapsed: Option<Duration>,
}

/// What became of it.
struct Committed {
    effects: Vec<Effect>,
    /// How many records there are now; `None`: nothing was written.
    records: Option<u64>,
    next_count: Option<Duration>,
}

impl Order<'_> {
    fn commit(
        &self,
        database: &Database,
        moves: &mut Vec<Move>,
    ) -> Result<Committed, redb::Error> {
        let transaction = begin_write(database)?;
        let mut ledger = Ledger::open(&transaction, self.records_max)?;
        if let Some(elapsed) = self.elapsed {
            ledger.count_time(elapsed)?;
        }
        let effects: Result<Vec<_>, _> =
            self.batch.iter().map(|change| self.apply(&mut ledger, change)).collect();
        let effects = effects?;
        let next_count = match self.elapsed {
            Some(_) => ledger.carry_out_resets(self.now)?,
            None => None,
        };
        let records = ledger.changed.then(|| ledger.records()).transpose()?;
        *moves = std::mem::take(&mut ledger.moves);
        drop(ledger);
        if records.is_some() {
            transaction.commit()?;
        } else {
            // Nothing to keep: clients that present their key at each start cost no fsync.
            transaction.abort()?;
        }
        Ok(Committed { effects, records, next_count })
    }

    fn apply(&self, ledger: &mut Ledger<'_>, change: &Change) -> Result<Effect, redb::Error> {
        Ok(match change {
            Change::Register(Registration { id, key, terms, .. }) => {
                Effect::Registered(ledger.register(id, key, *terms)?)
            }
            Change::Extend(Extension { link, creation, .. }) => {
                Effect::Extended(ledger.extend(link, *creation, self.now)?)
            }
            Change::Publish(Publication { id, bundle, .. }) => {
                Effect::Published(ledger.publish(id, bundle)?)
            }
            Change::Import(Importation { import, .. }) => {
                Effect::Imported(take_in(ledger, import)?)
            }
            Change::Reset(Removal { ids, delay, .. }) => {
                let ask = |id| ledger.ask_for_reset(id, *delay, self.now);
                Effect::Reset(ids.iter().map(ask).collect::<Result<_, _>>()?)
            }
            Change::CancelReset(Withdrawal { ids, .. }) => {
                let cancel = |id| ledger.cancel_reset(id);
                Effect::Cancelled(ids.iter().map(cancel).collect::<Result<_, _>>()?)
            }
        })
    }
}

impl Stored for Ledger<'_> {
    type Error = redb::Error;

    fn key(&self, id: &str) -> Result<Option<Box<str>>, redb::Error> {
        Ok(self.keys.get(id)?.map(|key| key.value().into()))
    }

    fn compare(&self, Identity { chain, bundle }: &Identity) -> Result<Brought, redb::Error> {
        self.compare(chain, bundle.as_ref())
    }
}

fn take_in(
    ledger: &mut Ledger<'_>,
    import: &Import,
) -> Result<Result<Imported, Conflicts>, redb::Error> {
    let plan = match import.plan(ledger)? {
        Ok(plan) => plan,
        Err(conflicts) => return Ok(Err(conflicts)),
    };
    for write in &plan.writes {
        let Some(record) = import.records().get(write.place) else { continue };
        if let Some(key) = record.public_key.as_ref().filter(|_| write.key) {
            ledger.put_key(record.client_id.as_str(), key)?;
        }
        if let Some(identity) = record.identity.as_ref().filter(|_| write.chain) {
            ledger.put_chain(&identity.chain, identity.bundle.as_ref())?;
        }
    }
    Ok(Ok(plan.imported))
}

/// Tells whoever asked. They may have left: what was committed stays all the same.
fn answer(change: Change, effect: Result<Effect, Unavailable>) {
    match change {
        Change::Register(Registration { answer, .. }) => {
            let _ = answer.send(match effect {
                Ok(Effect::Registered(result)) => result,
                _ => Err(Unavailable.into()),
            });
        }
        Change::Extend(Extension { answer, .. }) => {
            let _ = answer.send(match effect {
                Ok(Effect::Extended(result)) => result,
                _ => Err(Unavailable.into()),
            });
        }
        Change::Publish(Publication { answer, .. }) => {
            let _ = answer.send(match effect {
                Ok(Effect::Published(result)) => result,
                _ => Err(Unavailable.into()),
            });
        }
        Change::Import(Importation { answer, .. }) => {
            let _ = answer.send(match effect {
                Ok(Effect::Imported(result)) => Ok(result),
                _ => Err(Unavailable),
            });
        }
        Change::Reset(Removal { answer, .. }) => {
            let _ = answer.send(match effect {
                Ok(Effect::Reset(resets)) => Ok(resets),
                _ => Err(Unavailable),
            });
        }
        Change::CancelReset(Withdrawal { answer, .. }) => {
            let _ = answer.send(match effect {
                Ok(Effect::Cancelled(had_reset)) => Ok(had_reset),
                _ => Err(Unavailable),
            });
        }
    }
}
