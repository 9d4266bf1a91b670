//! The whole directory as it was at one moment, read page by page.
//!
//! A page is small, so that lookups which came meanwhile wait for one page only; and since every
//! page is of the same snapshot, no registration beside it is half in an export.

use std::ops::Bound::{Excluded, Unbounded};

use redb::{Database, ReadOnlyTable, ReadableDatabase};
use securecall_identity::notation::base64url;

use super::chain_reads::Chains;
use super::tables::KEYS;
use crate::directory::record::write_line;

/// How long a page is at least, unless it is the last: some 300 records, which take less time than
/// an fsync.
const PAGE_BYTES: usize = 64 * 1024;

/// It stays what it is while others write; what they replace is kept on disk until it is dropped.
/// When the database is closed it fails.
pub(crate) struct Snapshot {
    keys: ReadOnlyTable<&'static str, &'static str>,
    chains: Chains,
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
        let transaction = database.begin_read()?;
        let keys = transaction.open_table(KEYS)?;
        Ok(Self { keys, chains: Chains::of(&transaction)?, last: None })
    }

    /// The records after the page before, in the order of their ids.
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

    /// The first id after the last one that has a key or a chain.
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
