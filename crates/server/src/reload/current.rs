//! A value that can be exchanged while others use it.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use parking_lot::Mutex;

/// The latest of several values. Users hold one, and check from time to time whether it is still
/// the latest, which costs one load and takes no lock.
#[derive(Debug)]
pub(crate) struct Current<T> {
    latest: Mutex<Arc<T>>,
    /// The address of the latest value, only for comparison. It cannot be reused as long as
    /// somebody holds that value.
    address: AtomicPtr<T>,
}

impl<T> Current<T> {
    pub(crate) fn new(value: T) -> Self {
        let value = Arc::new(value);
        Self { address: AtomicPtr::new(address_of(&value)), latest: Mutex::new(value) }
    }

    /// Returns the latest value.
    pub(crate) fn latest(&self) -> Arc<T> {
        self.latest.lock().clone()
    }

    /// Replaces the value.
    pub(crate) fn replace(&self, value: T) {
        let value = Arc::new(value);
        let mut latest = self.latest.lock();
        self.address.store(address_of(&value), Ordering::Release);
        *latest = value;
    }

    /// Replaces `held` with the latest value, if it is another one.
    pub(crate) fn refresh(&self, held: &mut Arc<T>) {
        if !ptr::eq(address_of(held), self.address.load(Ordering::Acquire)) {
            *held = self.latest();
        }
    }
}

fn address_of<T>(value: &Arc<T>) -> *mut T {
    Arc::as_ptr(value).cast_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_becomes_the_latest_and_stays_until_it_is_refreshed() {
        let current = Current::new(1);
        let (mut held, kept) = (current.latest(), current.latest());
        current.refresh(&mut held);
        assert!(Arc::ptr_eq(&held, &kept), "nothing has changed");
        current.replace(2);
        assert_eq!(*held, 1);
        current.refresh(&mut held);
        assert_eq!((*held, *kept, *current.latest()), (2, 1, 2));
    }
}
