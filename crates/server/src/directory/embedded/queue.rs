//! A thread of its own behind a bounded queue, for work that may wait for a disk.
//!
//! It never makes the one who submits wait: a full queue and a stopped thread are both
//! [`Unavailable`], at once.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tracing::error;

use crate::directory::Unavailable;

/// A thread that takes all the requests there are at a time.
pub(crate) struct Worker<R> {
    queue: SyncSender<Job<R>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Job<R> {
    Request(R),
    Stop,
}

impl<R: Send + 'static> Worker<R> {
    /// Starts a thread that gives `work` batches of 1 to `length` requests, oldest first. `work`
    /// returns how long to wait for more, and is called with an empty batch when that time is over;
    /// `None`: for ever. The first wait is `wait`. With a wait it is called once more at the end.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(
        name: &str,
        length: usize,
        wait: Option<Duration>,
        mut work: impl FnMut(Vec<R>) -> Option<Duration> + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(length);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let (mut wait, mut stopping) = (wait, false);
            while !stopping {
                let batch;
                (batch, stopping) = next_batch(&jobs, length, wait);
                if !batch.is_empty() || wait.is_some() {
                    wait = work(batch);
                }
            }
        })?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Queues `request`, or drops it.
    pub(crate) fn submit(&self, request: R) -> Result<(), Unavailable> {
        self.queue.try_send(Job::Request(request)).map_err(|_| Unavailable)
    }

    /// Waits until everything queued so far is done and the thread has ended. Later requests are
    /// dropped.
    pub(crate) fn stop(&self) {
        let Some(thread) = self.thread.lock().take() else { return };
        // Fails only if the thread is gone, which is what is wanted.
        let _ = self.queue.send(Job::Stop);
        if thread.join().is_err() {
            error!("a directory thread had panicked");
        }
    }
}

/// Waits for a request, then takes those that queued up meanwhile; and whether to stop after them.
/// None came in time: an empty batch.
fn next_batch<R>(
    jobs: &Receiver<Job<R>>,
    limit: usize,
    wait: Option<Duration>,
) -> (Vec<R>, bool) {
    let mut batch = Vec::new();
    let mut job = match wait.map(|wait| jobs.recv_timeout(wait)) {
        None => jobs.recv().ok(),
        Some(Ok(job)) => Some(job),
        Some(Err(RecvTimeoutError::Timeout)) => return (batch, false),
        Some(Err(RecvTimeoutError::Disconnected)) => None,
    };
    while let Some(Job::Request(request)) = job {
        batch.push(request);
        if batch.len() == limit {
            return (batch, false);
        }
        match jobs.try_recv() {
            Ok(next) => job = Some(next),
            Err(_) => return (batch, false),
        }
    }
    // A stop, or no sender left.
    (batch, true)
}
