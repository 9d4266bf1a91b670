//! A snapshot of the whole directory, read page by page.
//!
//! Pages are small, so that concurrent lookups wait for one page only. All pages come from the same
//! snapshot, so no concurrent registration is half in an export.

use redb::{Database, ReadOnlyTable, ReadableDatabase};

use super::database::KEYS;
use crate::directory::record::write_line;

/// The least size of a page except the last: some 300 records, which take less time than an fsync.
const PAGE_BYTES: usize = 64 * 1024;

/// A snapshot. It does not change while others write, and keeps replaced records on disk until it
/// is dropped. It fails when the database is closed.
pub(crate) struct Snapshot {
    keys: ReadOnlyTable<&'static str, &'static str>,
    /// The last id that was read.
    last: Option<Box<str>>,
}

/// Some records, as lines of JSON.
#[derive(Debug, Default)]
pub struct Page {
    /// The lines, each with its end.
    pub lines: String,
    /// The number of records. 0 is the end.
    pub records: usize,
}

impl Snapshot {
    pub(crate) fn of(database: &Database) -> Result<Self, redb::Error> {
        Ok(Self { keys: database.begin_read()?.open_table(KEYS)?, last: None })
    }

    /// Returns the next records, in the order of their ids.
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
