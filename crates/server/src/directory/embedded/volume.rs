//! The open database, which is opened again after each failure.
//!
//! It never retries an operation and never hides a failure: the caller of a failed operation gets
//! the error, and the next one finds a database that was closed, opened and checked again, or none.
//! redb requires this, because it refuses everything after an I/O error until it is closed; and
//! nobody knows what the disk holds then.

use std::time::{Duration, Instant};

use parking_lot::RwLock;
use redb::Database;
use tracing::{error, info};

use super::database::catching_panics;
use crate::directory::{OpenError, Unavailable};
use crate::telemetry::log_limit::LogLimit;

/// The pause after a database failed twice, or could not be opened. Opening reads all of it, and a
/// broken disk should not be busy with that alone.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Opens the database, at the start and after each failure.
pub(crate) type Opener = Box<dyn Fn() -> Result<Database, OpenError> + Send + Sync>;

pub(crate) struct Volume {
    open: Opener,
    /// Shared by concurrent operations; exclusive for closing and opening.
    state: RwLock<State>,
    /// Limits log lines: a full disk fails every second.
    log: Log,
}

/// The limits of each log line.
#[derive(Default)]
struct Log {
    failed: LogLimit,
    closed: LogLimit,
    opened: LogLimit,
    unopened: LogLimit,
}

struct State {
    /// `None` while it cannot be opened, or has just failed again.
    database: Option<Database>,
    /// Counts closings, so that two threads that saw the same failure close once.
    closings: u64,
    /// The time of the last attempt to open it after a failure, or `None` before the first.
    reopened_at: Option<Instant>,
}

impl State {
    fn has_rested(&self) -> bool {
        self.reopened_at.is_none_or(|at| at.elapsed() >= RETRY_PAUSE)
    }
}

impl Volume {
    pub(crate) fn new(open: Opener) -> Result<Self, OpenError> {
        let state = State { database: Some(open()?), closings: 0, reopened_at: None };
        Ok(Self { open, state: RwLock::new(state), log: Log::default() })
    }

    /// Runs `work` on the database. Operations run concurrently; redb orders the writes.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, Unavailable> {
        self.open_if_due();
        let state = self.state.read();
        let database = state.database.as_ref().ok_or(Unavailable)?;
        let failure = match catching_panics(|| work(database)) {
            Ok(result) => return Ok(result),
            Err(failure) => failure,
        };
        let closings = state.closings;
        drop(state);
        if let Some(left_out) = self.log.failed.take(Instant::now()) {
            error!(%failure, left_out, "the directory failed");
        }
        self.close_and_open(closings);
        Err(Unavailable)
    }

    fn open_if_due(&self) {
        let state = self.state.read();
        if state.database.is_none() && state.has_rested() {
            drop(state);
            self.open(&mut self.state.write());
        }
    }

    /// Closes and opens the database, unless another thread has since there were `closings`
    /// closings.
    fn close_and_open(&self, closings: u64) {
        let mut state = self.state.write();
        if state.closings == closings {
            state.closings += 1;
            close(state.database.take(), &self.log.closed);
            self.open(&mut state);
        }
    }

    fn open(&self, state: &mut State) {
        if state.database.is_some() || !state.has_rested() {
            return;
        }
        match (self.open)() {
            Ok(database) => {
                state.database = Some(database);
                if let Some(left_out) = self.log.opened.take(Instant::now()) {
                    info!(left_out, "the directory is open again");
                }
            }
            Err(reason) => {
                if let Some(left_out) = self.log.unopened.take(Instant::now()) {
                    error!(%reason, left_out, "the directory cannot be opened; retrying later");
                }
            }
        }
        state.reopened_at = Some(Instant::now());
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        close(self.state.get_mut().database.take(), &self.log.closed);
    }
}

/// Closes the database. Acknowledged records are on disk already, so an error is only logged.
fn close(database: Option<Database>, log: &LogLimit) {
    let Some(database) = database else { return };
    if let Err(reason) = catching_panics(|| Ok(database.close()?))
        && let Some(left_out) = log.take(Instant::now())
    {
        info!(%reason, left_out, "the directory did not close cleanly");
    }
}

#[cfg(test)]
mod tests {
    use super::super::database::{create, open_storage};
    use super::super::simulated_disk::SimulatedDisk;
    use super::*;

    fn volume() -> Volume {
        let disk = SimulatedDisk::default();
        drop(create(disk.clone()).unwrap());
        Volume::new(Box::new(move || open_storage(disk.clone()))).unwrap()
    }

    fn panicking(volume: &Volume) -> Result<(), Unavailable> {
        volume.with(|_| panic!("a panic that a test wants"))
    }

    #[test]
    fn a_panic_is_a_failure_and_the_database_is_opened_again() {
        let volume = volume();
        assert_eq!(panicking(&volume), Err(Unavailable));
        assert_eq!(volume.with(|_| Ok(7)), Ok(7));
    }

    #[test]
    fn a_database_that_fails_repeatedly_is_not_opened_for_a_while() {
        let volume = volume();
        assert_eq!(panicking(&volume), Err(Unavailable));
        assert_eq!(panicking(&volume), Err(Unavailable));
        assert_eq!(volume.with(|_| Ok(7)), Err(Unavailable));
        std::thread::sleep(RETRY_PAUSE);
        assert_eq!(volume.with(|_| Ok(7)), Ok(7));
    }
}
