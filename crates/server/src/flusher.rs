//! Writing, at the end of a worker's turn.
//!
//! A worker wakes up for many connections at once. It reads all of them first and writes then:
//! what several senders have for one client goes out in one write, and the readers of what was
//! sent, which each write wakes up, find the next message there already instead of going back to
//! sleep after each.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::connection::Connection;

/// How many connections are written to at the latest: nobody waits longer for that than it takes
/// to read from so many.
const DUE_MAX: usize = 64;

thread_local! {
    static TURN: RefCell<Turn> = const { RefCell::new(Turn { due: Vec::new(), flusher: None }) };
}

/// What this thread has sent in this turn.
struct Turn {
    due: Vec<Arc<Connection>>,
    /// Wakes the flusher, behind everything that this thread has to do already. None: this thread
    /// has no flusher.
    flusher: Option<Waker>,
}

/// Has the connection flushed at the end of the turn; at once on a thread that has no turns.
pub(crate) fn flush_later(connection: &Arc<Connection>) {
    let full = TURN.with_borrow_mut(|turn| {
        turn.due.push(connection.clone());
        match &turn.flusher {
            Some(flusher) if turn.due.len() == 1 => flusher.wake_by_ref(),
            Some(_) => {}
            None => return true,
        }
        turn.due.len() >= DUE_MAX
    });
    if full {
        flush();
    }
}

/// Flushes at the end of each turn of this thread, for as long as it runs.
pub(crate) async fn run() {
    let _last = FlushAtLast;
    poll_fn(|task| {
        TURN.with_borrow_mut(|turn| {
            if turn.flusher.is_none() {
                turn.flusher = Some(task.waker().clone());
            }
        });
        flush();
        Poll::<()>::Pending
    })
    .await;
}

/// Writes what this thread has sent in this turn so far.
pub(crate) fn flush() {
    let mut due = TURN.with_borrow_mut(|turn| std::mem::take(&mut turn.due));
    for connection in due.drain(..) {
        connection.flush();
    }
    // Nothing is sent by flushing, so the place of the list is free.
    TURN.with_borrow_mut(|turn| turn.due = due);
}

/// When the flusher ends, the thread has no turns any more.
struct FlushAtLast;

impl Drop for FlushAtLast {
    fn drop(&mut self) {
        TURN.with_borrow_mut(|turn| turn.flusher = None);
        flush();
    }
}
