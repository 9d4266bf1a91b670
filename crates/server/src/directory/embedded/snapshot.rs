//! The whole directory as it was at one moment, read page by page.
//!
//! A page is small, so that lookups which came meanwhile wait for one page only; and since every
//! page is of the same snapshot, no registration beside it is half in an export.

use redb::{Database, ReadOnlyTable, ReadableDatabase};

use super::database::KEYS;
use crate::directory::record::write_line;

/// How long a page is at least, unless it is the last: some 300 records, which take less time than
/// an fsync.
const PAGE_BYTES: usize = 64 * 1024;

/// It stays what it is while others write; what they replace is kept on disk until it is dropped.
/// When the database is closed it fails.
pub(crate) struct Snapshot {
    keys: ReadOnlyTable<&'static str, &'static str>,
    /// The id that was read last.
    last: Option<Box<str>>,
}

/// Some records, as lines of JSON.
#[derive(Debug, Default)]
pub struct Page {
    /// The lines, each with its end.
    pub lines: String,
    /// How many; 0: there were no more.
    pub records: usize,
}

impl Snapshot {
    pub(crate) fn of(database: &Database) -> Result<Self, redb::Error> {
        Ok(Self { keys: database.begin_read()?.open_table(KEYS)?, last: None })
    }

    /// The records after the page before, in the order of their ids.
    pub(crate) fn next_page(&mut self) -> Result<Page, redb::Error> {
        use std::ops::Bound::{Excluded, Unbounded};
        let mut page = Page::default();
        let start = self.last.as_deref().map_or(Unbounded, Excluded);
        let mut records = self.keys.range::<&str>((start, Unbounded))?;
        let mut last = None;
        while page.lines.len() < PAGE_BYTES
            && let Some(record) = records.next()
        {
            let (id, key) = record?;
            write_line(&mut page.lines, id.value(), key.value());
            page.records += 1;
            last = Some(id);
        }
        if let Some(id) = last {
            self.last = Some(id.value().into());
        }
        Ok(page)
    }
}
