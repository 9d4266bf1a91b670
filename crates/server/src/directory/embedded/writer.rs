//! The only thread that writes: group commit.
//!
//! It never answers a request before its commit is on disk. An fsync takes as long for a hundred
//! records as for one, so all requests that queued up during the last commit share the next.
//!
//! **The order in a commit.** Requests take effect in order, and each sees the ones before; then
//! the resets that are due are executed. So a link that vetoes a reset and the reset itself meet
//! here, and exactly one of both takes effect.
//!
//! **The order after it.** First the index takes the new heads, then the watchers are called, and
//! then the requests are answered.

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
use super::record_count::RecordCount;
use super::tables::heads;
use super::volume::{RETRY_PAUSE, Volume};
use crate::directory::import::{Conflicts, Import, Imported, Stored};
use crate::directory::record::Identity;
use crate::directory::{
    Creation, ExtendError, Extended, PublishError, Published, RegisterError, Registered, Reset,
    Terms, Unavailable,
};

/// A change that the thread has to write.
pub(crate) enum Change {
    Register(Registration),
    Extend(Extension),
    Publish(Publication),
    Import(ImportRequest),
    Reset(ResetRequest),
    CancelReset(Withdrawal),
}

/// The registration of a client's key.
pub(crate) struct Registration {
    pub(crate) id: Box<str>,
    pub(crate) key: Box<str>,
    pub(crate) terms: Terms,
    pub(crate) answer: oneshot::Sender<Result<Registered, RegisterError>>,
}

/// A link for a chain.
pub(crate) struct Extension {
    pub(crate) link: Link,
    pub(crate) creation: Creation,
    pub(crate) answer: oneshot::Sender<Result<Extended, ExtendError>>,
}

/// A bundle for the head of a chain.
pub(crate) struct Publication {
    pub(crate) id: Id,
    pub(crate) bundle: Box<[u8]>,
    pub(crate) answer: oneshot::Sender<Result<Published, PublishError>>,
}

/// The import of an operator's records.
pub(crate) struct ImportRequest {
    pub(crate) import: Import,
    pub(crate) answer: SyncSender<Result<Result<Imported, Conflicts>, Unavailable>>,
}

/// The removal of keys by an operator, at once or after the delay.
pub(crate) struct ResetRequest {
    pub(crate) ids: Vec<ClientId>,
    pub(crate) delay: Duration,
    pub(crate) answer: SyncSender<Result<Vec<Reset>, Unavailable>>,
}

/// The withdrawal of pending resets.
pub(crate) struct Withdrawal {
    pub(crate) ids: Vec<ClientId>,
    pub(crate) answer: SyncSender<Result<Vec<bool>, Unavailable>>,
}

pub(crate) struct Writer {
    volume: Arc<Volume>,
    record_count: Arc<RecordCount>,
    index: Arc<Index>,
    clock: Clock,
    /// The time of the last failed commit. After each failure the database is opened again, and
    /// lookups wait for that: with a full disk this must not happen all the time.
    failed_at: Option<Instant>,
    /// The last time at which time was counted for pending resets, or was lost to a failure.
    counted_at: Duration,
    /// The time of the next counting. `None` if no reset is pending.
    next_count_at: Option<Duration>,
}

impl Writer {
    /// Creates the writer. `first_count` is the time before the first counting, if a reset is pending.
    pub(crate) fn new(
        volume: Arc<Volume>,
        record_count: Arc<RecordCount>,
        index: Arc<Index>,
        clock: Clock,
        first_count: Option<Duration>,
    ) -> Self {
        let counted_at = (clock.open_for)();
        let next_count_at = first_count.map(|wait| counted_at + wait);
        Self { volume, record_count, index, clock, failed_at: None, counted_at, next_count_at }
    }

    /// Decides and commits a batch, then answers all of it. An empty one counts time.
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

    /// Returns the longest wait before [`Writer::write`] is called with an empty batch; `None` is no
    /// bound.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let now = (self.clock.open_for)();
        let until_count = self.next_count_at.map(|at| at.saturating_sub(now));
        let until_settled = (!self.index.is_settled()).then_some(RETRY_PAUSE);
        let wait = until_count.into_iter().chain(until_settled).min()?;
        // A disk that has failed is left alone: without this the thread would spin.
        let rest =
            self.failed_at.map_or(Duration::ZERO, |at| RETRY_PAUSE.saturating_sub(at.elapsed()));
        Some(wait.max(rest))
    }

    fn commit(&mut self, batch: &[Change]) -> Result<Vec<Effect>, Unavailable> {
        if self.failed_at.is_some_and(|at| at.elapsed() < RETRY_PAUSE) {
            return Err(Unavailable);
        }
        let result = self.settle().and_then(|()| self.commit_settled(batch));
        self.failed_at = result.is_err().then(Instant::now);
        result
    }

    /// Reads again what a failed commit may have changed. Nothing is decided before that.
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
        let records_max = self.record_count.records_max();
        let mut moves = Vec::new();
        let order = Order { batch, records_max, now, elapsed };
        let result = self.volume.with(|database| order.commit(database, &mut moves));
        if counts {
            self.counted_at = open_for;
        }
        match result {
            Ok(Committed { effects, records, next_count }) => {
                if let Some(records) = records {
                    self.record_count.set_records(records);
                }
                if counts {
                    self.next_count_at = next_count.map(|wait| open_for + wait);
                }
                self.index.apply(&moves);
                Ok(effects)
            }
            Err(unavailable) => {
                // A veto would have failed, too, so this time does not count.
                self.counted_at = open_for;
                self.next_count_at = self.next_count_at.map(|_| open_for + RETRY_PAUSE);
                self.index.unsettle(&moves);
                // Most failures end when the database is open again.
                let _ = self.settle();
                Err(unavailable)
            }
        }
    }
}

/// The effect of a change, decided but not committed yet.
enum Effect {
    Registered(Result<Registered, RegisterError>),
    Extended(Result<Extended, ExtendError>),
    Published(Result<Published, PublishError>),
    Imported(Result<Imported, Conflicts>),
    Reset(Vec<Reset>),
    /// For each id: true if a reset was pending.
    Cancelled(Vec<bool>),
}

/// The input of one commit.
struct Order<'a> {
    batch: &'a [Change],
    records_max: u64,
    /// Seconds since 1970.
    now: u64,
    /// The time to count for resets. `None` if it is not counted now.
    elapsed: Option<Duration>,
}

/// The result of one commit.
struct Committed {
    effects: Vec<Effect>,
    /// The number of records. `None` if nothing was written.
    records: Option<u64>,
    next_count: Option<Duration>,
}

impl Order<'_> {
    fn commit(&self, database: &Database, moves: &mut Vec<Move>) -> Result<Committed, redb::Error> {
        let transaction = begin_write(database)?;
        let mut ledger = Ledger::open(&transaction, self.records_max)?;
        if let Some(elapsed) = self.elapsed {
            ledger.count_time(elapsed)?;
        }
        let effects: Result<Vec<_>, _> =
            self.batch.iter().map(|change| self.apply(&mut ledger, change)).collect();
        let effects = effects?;
        let next_count = match self.elapsed {
            Some(_) => ledger.execute_resets(self.now)?,
            None => None,
        };
        let records = ledger.changed.then(|| ledger.records()).transpose()?;
        *moves = std::mem::take(&mut ledger.moves);
        drop(ledger);
        if records.is_some() {
            transaction.commit()?;
        } else {
            // Nothing changed: clients that register their key at each start cost no fsync.
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
            Change::Import(ImportRequest { import, .. }) => {
                Effect::Imported(take_in(ledger, import)?)
            }
            Change::Reset(ResetRequest { ids, delay, .. }) => {
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

/// Sends the answer. An error means that the caller has left; what was committed stays.
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
        Change::Import(ImportRequest { answer, .. }) => {
            let _ = answer.send(match effect {
                Ok(Effect::Imported(result)) => Ok(result),
                _ => Err(Unavailable),
            });
        }
        Change::Reset(ResetRequest { answer, .. }) => {
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
