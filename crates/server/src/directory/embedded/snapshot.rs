//! A snapshot of the whole directory, read page by page.
//!
//! Pages are small, so that concurrent lookups wait for one page only. All pages come from the same
//! snapshot, so no concurrent registration is half in an export.

use std::ops::Bound::{Excluded, Unbounded};

use redb::{Database, ReadOnlyTable, ReadableDatabase};
use securecall_identity::notation::base64url;

use super::chain_reads::Chains;
use super::tables::KEYS;
use crate::directory::record::write_line;

/// The least size of a page except the last: some 300 records, which take less time than an fsync.
const PAGE_BYTES: usize = 64 * 1024;

/// A snapshot. It does not change while others write, and keeps replaced records on disk until it
/// is dropped. It fails when the database is closed.
pub(crate) struct Snapshot {
    keys: ReadOnlyTable<&'static str, &'static str>,
    chains: Chains,
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
        let transaction = database.begin_read()?;
        let keys = transaction.open_table(KEYS)?;
        Ok(Self { keys, chains: Chains::of(&transaction)?, last: None })
    }

    /// Returns the next records, in the order of their ids.
    pub(crate) fn next_page(&mut self) -> Result<Page, redb::Error> {
        let mut page = Page::default();
        while page.lines.len() < PAGE_BYTES
            && let Some(id) = self.next_id()?
        {
            self.write_record(&id, &mut page.lines)?;
            page.records += 1;
            self.last = Some(id);
        }
        Ok(page)
    }

    /// Returns the first id after the last one that has a key or a chain.
    fn next_id(&self) -> Result<Option<Box<str>>, redb::Error> {
        let start = self.last.as_deref().map_or(Unbounded, Excluded);
        let key = self.keys.range::<&str>((start, Unbounded))?.next().transpose()?;
        let key: Option<Box<str>> = key.map(|(id, _)| id.value().into());
        let chain = self.chains.next_id(start)?;
        Ok(match (key, chain) {
            (Some(key), Some(chain)) => Some(key.min(chain)),
            (key, chain) => key.or(chain),
        })
    }

    fn write_record(&self, id: &str, lines: &mut String) -> Result<(), redb::Error> {
        let key = self.keys.get(id)?;
        let key = key.as_ref().map(|key| key.value());
        let (links, bundle) = self.chains.epoch(id)?;
        let links: Vec<String> = links.iter().map(|link| base64url(link)).collect();
        let bundle = bundle.as_deref().map(base64url);
        write_line(lines, id, key, &links, bundle.as_deref());
        Ok(())
    }
}
