//! The number of records in a directory, and its bound.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tracing::{info, warn};

/// The number of records and its bound, shared by writers and readers.
pub(crate) struct RecordCount {
    records: AtomicU64,
    records_max: AtomicU64,
    /// True if the operator was warned that the directory is nearly full, and it still is.
    warned: AtomicBool,
}

impl RecordCount {
    /// Returns the state without a bound and before the first count.
    pub(crate) fn unbounded() -> Self {
        Self {
            records: AtomicU64::new(0),
            records_max: AtomicU64::new(u64::MAX),
            warned: AtomicBool::new(false),
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    pub(crate) fn records_max(&self) -> u64 {
        self.records_max.load(Ordering::Relaxed)
    }

    pub(crate) fn set_records_max(&self, records_max: u64) {
        self.records_max.store(records_max, Ordering::Relaxed);
        self.warn_if_nearly_full();
    }

    /// Sets the number of records that are on disk.
    pub(crate) fn set_records(&self, records: u64) {
        self.records.store(records, Ordering::Relaxed);
        self.warn_if_nearly_full();
    }

    /// Warns once when four fifths of the bound are used, and logs once when they no longer are.
    fn warn_if_nearly_full(&self) {
        let (records, records_max) = (self.records(), self.records_max());
        let nearly_full = records >= records_max / 5 * 4 + records_max % 5 * 4 / 5;
        if self.warned.swap(nearly_full, Ordering::Relaxed) == nearly_full {
            return;
        }
        if nearly_full {
            warn!(
                records,
                records_max,
                "the directory is nearly full: at directory.records_max, no id can register a \
                 first key"
            );
        } else {
            info!(records, records_max, "the directory is no longer nearly full");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(record_count: &RecordCount) -> bool {
        record_count.warned.load(Ordering::Relaxed)
    }

    #[test]
    fn four_fifths_are_nearly_full_until_they_are_not() {
        let record_count = RecordCount::unbounded();
        record_count.set_records(1_000_000);
        assert!(!warned(&record_count));
        record_count.set_records(7);
        record_count.set_records_max(10);
        assert!(!warned(&record_count));
        record_count.set_records(8);
        assert!(warned(&record_count));
        record_count.set_records(7);
        assert!(!warned(&record_count));
        record_count.set_records_max(5);
        assert!(warned(&record_count));
    }
}
