//! A thread of its own behind a bounded queue, for work that may wait for a disk.
//!
//! It never makes the one who submits wait: a full queue and a stopped thread are both
//! [`Unavailable`], at once.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

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
    /// Starts a thread that gives `work` batches of 1 to `length` requests, oldest first.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(
        name: &str,
        length: usize,
        mut work: impl FnMut(Vec<R>) + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(length);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut stopping = false;
            while !stopping {
                let batch;
                (batch, stopping) = next_batch(&jobs, length);
                if !batch.is_empty() {
                    work(batch);
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
fn next_batch<R>(jobs: &Receiver<Job<R>>, limit: usize) -> (Vec<R>, bool) {
    let mut batch = Vec::new();
    let mut job = jobs.recv().ok();
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
