//! The end of a worker's turn: writing what was appended, and resuming drivers that have used up
//! their share.
//!
//! A worker wakes for many connections at once. It reads from all of them first and then writes:
//! messages of several senders to one client go out in one write, and their readers, which each
//! write wakes, find the next message in the socket instead of going back to sleep in between.
//!
//! A connection that has more to handle than its share is resumed when all others have had a turn:
//! one such connection for each turn of the worker, in order. So however many there are, others
//! wait for one of them only.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::Connection;

/// The bound of connections to be flushed. When it is reached they are flushed at once, so a
/// message waits for at most this many reads.
const DUE_MAX: usize = 64;

/// The bound of drivers to be resumed; further ones are resumed at once. A driver that is woken for
/// something else and again uses up its share is in the queue twice.
const USED_UP_MAX: usize = 4096;

thread_local! {
    static TURN: RefCell<Turn> = const {
        RefCell::new(Turn { due: Vec::new(), used_up: VecDeque::new(), flusher: None })
    };
}

/// The pending work of this thread's turn.
struct Turn {
    due: Vec<Arc<Connection>>,
    /// Drivers that have more to handle than their share.
    used_up: VecDeque<Waker>,
    /// Wakes the flusher after all other tasks that are ready on this thread. `None` if this thread
    /// has no flusher.
    flusher: Option<Waker>,
}

/// Flushes the connection at the end of the turn, or at once on a thread without a flusher.
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

/// Resumes a driver when all others of its thread have had a turn.
pub(crate) fn go_on_later(driver: &Waker) {
    TURN.with_borrow_mut(|turn| match &turn.flusher {
        Some(flusher) if turn.used_up.len() < USED_UP_MAX => {
            flusher.wake_by_ref();
            turn.used_up.push_back(driver.clone());
        }
        _ => driver.wake_by_ref(),
    });
}

/// Resumes the first driver in the queue. Returns true if there are more.
fn resume_one() -> bool {
    let (driver, more) = TURN.with_borrow_mut(|turn| {
        let driver = turn.used_up.pop_front();
        if turn.used_up.is_empty() {
            turn.used_up = VecDeque::new();
        }
        (driver, !turn.used_up.is_empty())
    });
    if let Some(driver) = driver {
        driver.wake();
    }
    more
}

/// Flushes at the end of each turn of this thread, forever.
pub(crate) async fn run() {
    let _last = FlushAtLast;
    poll_fn(|task| {
        TURN.with_borrow_mut(|turn| {
            if turn.flusher.is_none() {
                turn.flusher = Some(task.waker().clone());
            }
        });
        flush();
        if resume_one() {
            task.waker().wake_by_ref();
        }
        Poll::<()>::Pending
    })
    .await;
}

fn flush() {
    let mut due = TURN.with_borrow_mut(|turn| std::mem::take(&mut turn.due));
    for connection in due.drain(..) {
        connection.flush();
    }
    // Flushing appends nothing, so the list is empty and its allocation can be reused.
    TURN.with_borrow_mut(|turn| turn.due = due);
}

/// Flushes what is left when the flusher's task is dropped, and marks the thread as having none.
struct FlushAtLast;

impl Drop for FlushAtLast {
    fn drop(&mut self) {
        TURN.with_borrow_mut(|turn| turn.flusher = None);
        flush();
    }
}
