//! Links and bundles, out of one snapshot of the tables.

use std::ops::Bound;

use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase as _};
use securecall_identity::{Binding, Head, Outline, Position};

use super::tables::{BUNDLES, HEADS, LINKS, RESETS, corrupted};
use crate::directory::{CHAIN_PAGE_LINKS, ChainPage, ChainQuery};

type Bytes = Box<[u8]>;

/// The tables of chains, as they were at one moment.
pub(crate) struct Chains {
    links: ReadOnlyTable<(&'static str, u32, u8), &'static [u8]>,
    heads: ReadOnlyTable<&'static str, (u64, &'static [u8])>,
    bundles: ReadOnlyTable<&'static str, &'static [u8]>,
}

/// A pending reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingReset {
    /// The id.
    pub client_id: Box<str>,
    /// How much time is to be counted until it is carried out.
    pub left_seconds: u64,
    /// When it was asked for, in seconds since 1970.
    pub asked_at: u64,
}

/// The epoch and the sequence number of the last link that was read.
pub(crate) type Place = (u32, u8);

impl Chains {
    pub(crate) fn of(transaction: &ReadTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            links: transaction.open_table(LINKS)?,
            heads: transaction.open_table(HEADS)?,
            bundles: transaction.open_table(BUNDLES)?,
        })
    }

    /// Returns the first id from `start` on that has a chain.
    pub(super) fn next_id(&self, start: Bound<&str>) -> Result<Option<Box<str>>, redb::Error> {
        let next = self.heads.range::<&str>((start, Bound::Unbounded))?.next().transpose()?;
        Ok(next.map(|(id, _)| id.value().into()))
    }

    /// Returns all links of an id's present epoch, and its bundle.
    pub(super) fn epoch(&self, id: &str) -> Result<(Vec<Bytes>, Option<Bytes>), redb::Error> {
        let Some((head, _)) = self.head(id)? else { return Ok((Vec::new(), None)) };
        Ok((self.links_of_epoch(id, head.epoch, 0, usize::MAX)?, self.bundle(id)?))
    }

    fn page(&self, id: &str, query: ChainQuery) -> Result<Option<ChainPage>, redb::Error> {
        let Some((head, binding)) = self.head(id)? else { return Ok(None) };
        let links = if query.known == Some(head.hash) {
            Vec::new()
        } else {
            self.links_of_epoch(id, head.epoch, query.from, CHAIN_PAGE_LINKS)?
        };
        Ok(Some(ChainPage { head, binding, bundle: self.bundle(id)?, links }))
    }

    fn head(&self, id: &str) -> Result<Option<(Position, Binding)>, redb::Error> {
        let Some(stored) = self.heads.get(id)? else { return Ok(None) };
        let position = Head::stored_position(stored.value().1);
        position.map(Some).ok_or_else(|| corrupted("a head"))
    }

    fn bundle(&self, id: &str) -> Result<Option<Bytes>, redb::Error> {
        Ok(self.bundles.get(id)?.map(|bundle| bundle.value().into()))
    }

    fn links_of_epoch(
        &self,
        id: &str,
        epoch: u32,
        from: u8,
        count_max: usize,
    ) -> Result<Vec<Bytes>, redb::Error> {
        let places = (id, epoch, from)..=(id, epoch, u8::MAX);
        let links = self.links.range::<(&str, u32, u8)>(places)?.take(count_max);
        links.map(|row| Ok(row?.1.value().into())).collect()
    }

    fn history(&self, id: &str, after: Option<Place>) -> Result<Vec<Outline>, redb::Error> {
        let start = match after {
            None => Bound::Included((id, 0, 0)),
            Some((epoch, sequence)) => Bound::Excluded((id, epoch, sequence)),
        };
        let places = (start, Bound::Included((id, u32::MAX, u8::MAX)));
        let links = self.links.range::<(&str, u32, u8)>(places)?.take(CHAIN_PAGE_LINKS);
        let outline = |link: &[u8]| Outline::read(link).map_err(|_| corrupted("a link"));
        links.map(|row| outline(row?.1.value())).collect()
    }
}

/// Returns a part of an id's chain, or `None` if it has none.
pub(crate) fn page(
    database: &Database,
    id: &str,
    query: ChainQuery,
) -> Result<Option<ChainPage>, redb::Error> {
    Chains::of(&database.begin_read()?)?.page(id, query)
}

/// Returns some links of all epochs, after this place.
pub(crate) fn history(
    database: &Database,
    id: &str,
    after: Option<Place>,
) -> Result<Vec<Outline>, redb::Error> {
    Chains::of(&database.begin_read()?)?.history(id, after)
}

/// Returns all pending resets: as many as operators have asked for.
pub(crate) fn resets(database: &Database) -> Result<Vec<PendingReset>, redb::Error> {
    let resets = database.begin_read()?.open_table(RESETS)?;
    let rows = resets.range::<&str>(..)?.map(|row| {
        let (id, reset) = row?;
        let (left, asked_at) = reset.value();
        let left_seconds = left.div_ceil(1000);
        Ok(PendingReset { client_id: id.value().into(), left_seconds, asked_at })
    });
    rows.collect()
}
