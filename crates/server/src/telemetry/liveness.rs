//! Liveness: whether each event loop still runs. Problems that a restart would not solve are not
//! part of it.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The time for a worker to run an empty task. A turn takes milliseconds; probes usually wait a
/// second.
const TASK_TIMEOUT: Duration = Duration::from_millis(500);

/// The event loops of all workers.
pub(crate) struct Liveness(Vec<Worker>);

struct Worker {
    handle: Handle,
    /// The empty task that has not run yet. There is only one, so that frequent probes do not fill
    /// the queue of a worker that hangs.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Liveness {
    pub(crate) fn of(workers: &[Handle]) -> Self {
        let worker = |handle: &Handle| Worker { handle: handle.clone(), task: Mutex::default() };
        Self(workers.iter().map(worker).collect())
    }

    /// Returns the reasons to restart the process: empty, or that a worker hangs.
    pub(crate) async fn reasons(&self) -> Vec<&'static str> {
        for worker in &self.0 {
            if !matches!(timeout(TASK_TIMEOUT, worker.runs()).await, Ok(true)) {
                return vec!["worker_stuck"];
            }
        }
        Vec::new()
    }
}

impl Worker {
    /// Waits until the worker has run a task. Returns false if the worker has ended.
    async fn runs(&self) -> bool {
        let mut task = self.task.lock().await;
        let pending = task.get_or_insert_with(|| self.handle.spawn(async {}));
        let has_run = pending.await.is_ok();
        *task = None;
        has_run
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::accept::event_loop;

    #[tokio::test]
    async fn a_worker_that_hangs_is_noticed_and_one_that_goes_on_again_too() {
        let hanging = event_loop().unwrap();
        let liveness = Liveness::of(&[Handle::current(), hanging.handle().clone()]);
        for _ in 0..3 {
            assert_eq!(liveness.reasons().await, ["worker_stuck"]);
        }
        let queued = hanging.metrics().num_alive_tasks();
        assert_eq!(queued, 1, "asking again adds nothing");
        let goes_on = std::thread::spawn(move || {
            hanging.block_on(async { tokio::time::sleep(Duration::from_secs(2)).await });
        });
        assert!(liveness.reasons().await.is_empty());
        goes_on.join().unwrap();
        assert_eq!(liveness.reasons().await, ["worker_stuck"], "it has ended");
    }
}
