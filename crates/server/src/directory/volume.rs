//! The open database, opened anew whenever it fails.
//!
//! It never retries an operation and never hides a failure: whoever ran into one is told, and the
//! next one finds a database that was closed, opened and checked again, or none. redb demands
//! this, since after an I/O error it refuses everything until it is closed; so does good sense,
//! since nobody knows what the disk holds then.

use std::time::{Duration, Instant};

use parking_lot::RwLock;
use redb::Database;
use tracing::{error, info};

use super::database::unpanicked;
use super::{OpenError, Unavailable};

/// How long a database that would not open, or would not be written, is left alone. Opening reads
/// all of it: a broken disk should not be busy with that alone.
pub(super) const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Opens the database, at the start and after each failure.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, OpenError> + Send + Sync>;

pub(super) struct Volume {
    open: Opener,
    /// Shared by the operations under way; exclusive for closing and opening.
    state: RwLock<State>,
}

struct State {
    /// `None` when it failed and would not open again.
    database: Option<Database>,
    /// Counts the openings, so that two threads that saw the same failure open once.
    opening: u64,
    tried_at: Instant,
}

impl Volume {
    pub(super) fn new(open: Opener) -> Result<Self, OpenError> {
        let database = Some(open()?);
        let state = State { database, opening: 0, tried_at: Instant::now() };
        Ok(Self { open, state: RwLock::new(state) })
    }

    /// Runs `work` on the database. Operations run side by side; redb orders the writes.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, Unavailable> {
        self.open_if_due();
        let state = self.state.read();
        let database = state.database.as_ref().ok_or(Unavailable)?;
        let failure = match unpanicked(|| work(database)) {
            Ok(result) => return Ok(result),
            Err(failure) => failure,
        };
        let opening = state.opening;
        drop(state);
        error!(%failure, "the directory failed; opening it again");
        self.open_again(opening);
        Err(Unavailable)
    }

    fn open_if_due(&self) {
        let state = self.state.read();
        if state.database.is_none() && state.tried_at.elapsed() >= RETRY_PAUSE {
            let opening = state.opening;
            drop(state);
            self.open_again(opening);
        }
    }

    /// Closes and opens the database, unless somebody has since `opening`.
    fn open_again(&self, opening: u64) {
        let mut state = self.state.write();
        if state.opening != opening {
            return;
        }
        close(state.database.take());
        match (self.open)() {
            Ok(database) => {
                state.database = Some(database);
                info!("the directory is open again");
            }
            Err(reason) => error!(%reason, "the directory does not open; trying again later"),
        }
        state.opening += 1;
        state.tried_at = Instant::now();
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        close(self.state.get_mut().database.take());
    }
}

/// What is acknowledged is on disk already: an error here costs nothing but is worth a line.
fn close(database: Option<Database>) {
    let Some(database) = database else { return };
    if let Err(reason) = unpanicked(|| Ok(database.close()?)) {
        info!(%reason, "the directory did not close cleanly");
    }
}
