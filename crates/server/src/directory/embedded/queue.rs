//! A thread behind a bounded queue, for work that may block on a disk.
//!
//! It never blocks the caller: a full queue and a stopped thread are both [`Unavailable`] at once.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tracing::error;

use crate::directory::Unavailable;

/// A thread that takes all queued requests as one batch.
pub(crate) struct Worker<R> {
    queue: SyncSender<Job<R>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Job<R> {
    Request(R),
    Stop,
}

impl<R: Send + 'static> Worker<R> {
    /// Starts a thread that calls `work` with batches of 1 to `length` requests, oldest first. `work`
    /// returns the longest wait for the next batch, and is called with an empty one after it; `None`
    /// is no bound. The first wait is `wait`. With a bound, `work` is called once more at the end.
    ///
    /// # Errors
    /// The system cannot start a thread.
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

    /// Queues `request`, or drops it if the queue is full or closed.
    pub(crate) fn submit(&self, request: R) -> Result<(), Unavailable> {
        self.queue.try_send(Job::Request(request)).map_err(|_| Unavailable)
    }

    /// Waits until all queued requests are done and the thread has ended. Later requests are
    /// dropped.
    pub(crate) fn stop(&self) {
        let Some(thread) = self.thread.lock().take() else { return };
        // An error means that the thread has ended already.
        let _ = self.queue.send(Job::Stop);
        if thread.join().is_err() {
            error!("a directory thread had panicked");
        }
    }
}

/// Waits for a request, then takes all others that are queued. Returns true if the thread has to
/// stop afterwards. The batch is empty if none arrived within the wait.
fn next_batch<R>(jobs: &Receiver<Job<R>>, limit: usize, wait: Option<Duration>) -> (Vec<R>, bool) {
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
    // A stop request, or all senders are gone.
    (batch, true)
}
