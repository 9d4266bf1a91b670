//! The end of a worker's turn: writing, and those that have used up a turn of their own.
//!
//! A worker wakes up for many connections at once. It reads all of them first and writes then:
//! what several senders have for one client goes out in one write, and the readers of what was
//! sent, which each write wakes up, find the next message there already instead of going back to
//! sleep after each.
//!
//! A connection that has used up its turn and has more to handle goes on when everybody else has
//! had a turn: one such connection in each turn of the worker, in the order in which they came. So
//! however many there are, others wait for one of them, and not for all.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::Connection;

/// How many connections are written to at the latest: nobody waits longer for that than it takes
/// to read from so many.
const DUE_MAX: usize = 64;

/// How many wait to go on; further ones do so at once. One that is woken for something else
/// meanwhile, and again uses up a turn, is in it twice.
const USED_UP_MAX: usize = 4096;

thread_local! {
    static TURN: RefCell<Turn> = const {
        RefCell::new(Turn { due: Vec::new(), used_up: VecDeque::new(), flusher: None })
    };
}

/// What this thread has sent in this turn.
struct Turn {
    due: Vec<Arc<Connection>>,
    /// Drivers that have more to handle than a turn.
    used_up: VecDeque<Waker>,
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

/// Has a driver go on when all others of its thread have had a turn.
pub(crate) fn go_on_later(driver: &Waker) {
    TURN.with_borrow_mut(|turn| match &turn.flusher {
        Some(flusher) if turn.used_up.len() < USED_UP_MAX => {
            flusher.wake_by_ref();
            turn.used_up.push_back(driver.clone());
        }
        _ => driver.wake_by_ref(),
    });
}

/// Lets the first of those go on that have used up a turn. Returns whether there are more.
fn let_one_go_on() -> bool {
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
        if let_one_go_on() {
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
