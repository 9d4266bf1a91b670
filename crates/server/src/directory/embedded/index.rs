//! The standing of every id that has a chain, in memory, so that registering waits for no disk.
//!
//! An entry has 33 bytes: the hash of the head, and the binding. It is found by 64 bits of a keyed
//! hash of the id, which takes 15 to 30 bytes of the table; ids themselves are not kept. The key is
//! new with each start, so nobody can look for two ids that meet. Should two meet all the same,
//! both are [`Standing::Unknown`] until the next start: nobody is let in. An id without a chain
//! that meets one with a chain is taken for that, and its proof fails.
//!
//! A commit that failed may have reached the disk. Until that was read again, the ids that it would
//! have changed are `Unknown` as well: otherwise a thief could register with the head before.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use parking_lot::RwLock;
use securecall_identity::{Binding, Kind, Position};
use tracing::error;

use crate::directory::{HeadChange, HeadWatcher, Standing};

/// How many entries are allocated at once.
const CHUNK: usize = 256;

/// The hash of an id by which it is found.
type KeyedHash = Box<dyn Fn(&str) -> [u8; 8] + Send + Sync>;

/// The heads of all chains.
pub(crate) struct Index {
    hash: KeyedHash,
    heads: RwLock<Heads>,
    watchers: RwLock<Vec<HeadWatcher>>,
}

#[derive(Default)]
struct Heads {
    places: HashMap<[u8; 8], u32>,
    chunks: Vec<Vec<Entry>>,
    count: u32,
    /// Ids of a commit that failed, and whether each was bound before. As many as a batch has.
    unsettled: HashMap<Box<str>, bool>,
}

#[derive(Clone, Copy)]
struct Entry {
    hash: [u8; 32],
    /// `None`: two ids meet here.
    binding: Option<Binding>,
}

/// A head that was stored, or is about to be.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) id: Box<str>,
    pub(crate) kind: Kind,
    pub(crate) position: Position,
    pub(crate) binding: Binding,
    /// Whether the id had no chain before.
    pub(crate) is_new: bool,
}

impl Index {
    pub(crate) fn new() -> Self {
        let hasher = RandomState::new();
        Self::with_hash(move |id| hasher.hash_one(id).to_ne_bytes())
    }

    fn with_hash(hash: impl Fn(&str) -> [u8; 8] + Send + Sync + 'static) -> Self {
        Self { hash: Box::new(hash), heads: RwLock::default(), watchers: RwLock::default() }
    }

    pub(crate) fn watch(&self, watcher: HeadWatcher) {
        self.watchers.write().push(watcher);
    }

    pub(crate) fn standing(&self, id: &str) -> Standing {
        let key = self.key(id);
        let heads = self.heads.read();
        if !heads.unsettled.is_empty() && heads.unsettled.contains_key(id) {
            return Standing::Unknown;
        }
        let Some(Entry { hash, binding }) = heads.places.get(&key).map(|at| *heads.entry(*at))
        else {
            return Standing::Unbound;
        };
        match binding {
            Some(Binding::Bound) => Standing::Bound(hash),
            Some(Binding::Open) => Standing::Reset(hash),
            Some(Binding::Ended) => Standing::Ended,
            None => Standing::Unknown,
        }
    }

    /// Takes the heads of a commit, and calls the watchers.
    pub(crate) fn apply(&self, moves: &[Move]) {
        if moves.is_empty() {
            return;
        }
        {
            let mut heads = self.heads.write();
            for moved in moves {
                heads.put(self.key(&moved.id), moved);
            }
        }
        // After all updates: a watcher must not see a mixture of old and new heads.
        for moved in moves {
            self.notify(moved);
        }
    }

    /// Shuts the ids of a commit that may or may not have reached the disk.
    pub(crate) fn unsettle(&self, moves: &[Move]) {
        let mut heads = self.heads.write();
        for Move { id, is_new, .. } in moves {
            // The first of two moves of an id has the state before the batch.
            heads.unsettled.entry(id.clone()).or_insert(!is_new);
        }
    }

    /// Returns true if no id has to be read again.
    pub(crate) fn is_settled(&self) -> bool {
        self.heads.read().unsettled.is_empty()
    }

    /// Returns the ids that have to be read again.
    pub(crate) fn unsettled(&self) -> Vec<Box<str>> {
        self.heads.read().unsettled.keys().cloned().collect()
    }

    /// Takes the stored heads of all unsettled ids. Those that are not in `found` have no chain.
    pub(crate) fn settle(&self, mut found: Vec<Move>) {
        {
            let mut heads = self.heads.write();
            let unsettled = std::mem::take(&mut heads.unsettled);
            found.retain(|moved| heads.is_changed_by(self.key(&moved.id), moved));
            for moved in &mut found {
                moved.is_new = !unsettled.get(&moved.id).copied().unwrap_or(false);
                heads.put(self.key(&moved.id), moved);
            }
        }
        for moved in &found {
            self.notify(moved);
        }
    }

    fn notify(&self, Move { id, kind, position, binding, .. }: &Move) {
        let standing = Standing::of(*position, *binding);
        for watcher in self.watchers.read().iter() {
            watcher(&HeadChange { id, kind: *kind, standing });
        }
    }

    fn key(&self, id: &str) -> [u8; 8] {
        (self.hash)(id)
    }
}

impl Heads {
    fn entry(&self, at: u32) -> &Entry {
        &self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    fn entry_mut(&mut self, at: u32) -> &mut Entry {
        &mut self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    fn is_changed_by(&self, key: [u8; 8], moved: &Move) -> bool {
        self.places.get(&key).is_none_or(|at| self.entry(*at).hash != moved.position.hash)
    }

    fn put(&mut self, key: [u8; 8], moved: &Move) {
        let entry = Entry { hash: moved.position.hash, binding: Some(moved.binding) };
        match self.places.get(&key).copied() {
            None => self.push(key, entry),
            // Another id: this one had no chain.
            Some(at) if moved.is_new => {
                error!("two client ids cannot be told apart until the next start, and are shut");
                self.entry_mut(at).binding = None;
            }
            Some(at) if self.entry(at).binding.is_some() => *self.entry_mut(at) = entry,
            // Two met here before.
            Some(_) => {}
        }
    }

    fn push(&mut self, key: [u8; 8], entry: Entry) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(entry);
            self.places.insert(key, self.count);
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::*;

    fn moved(id: &str, number: u32, is_new: bool) -> Move {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        let position = Position { epoch: 0, sequence: 0, hash };
        let (kind, binding) = (Kind::Inception, Binding::Bound);
        Move { id: id.into(), kind, position, binding, is_new }
    }

    fn bound(moved: &Move) -> Standing {
        Standing::Bound(moved.position.hash)
    }

    /// What the index has allocated: the table, whose buckets are the power of two of which seven
    /// eighths can be used, with a byte of control for each; and the chunks.
    fn bytes(index: &Index) -> usize {
        let heads = index.heads.read();
        let buckets = (heads.places.capacity() * 8 / 7).next_power_of_two();
        let entries = heads.chunks.iter().map(|chunk| chunk.capacity() * size_of::<Entry>());
        buckets * (size_of::<([u8; 8], u32)>() + 1)
            + entries.sum::<usize>()
            + heads.chunks.capacity() * size_of::<Vec<Entry>>()
    }

    #[test]
    fn a_bound_id_takes_64_bytes_at_most() {
        let index = Index::new();
        let mut count = 0;
        // 100,000; and where the table has just grown, which is worst.
        for until in [100_000, 114_689] {
            let moves: Vec<_> =
                (count..until).map(|number| moved(&format!("id-{number}"), number, true)).collect();
            index.apply(&moves);
            count = until;
            let each = bytes(&index) as f64 / f64::from(count);
            println!("{count} bound ids: {each:.1} bytes each");
            assert!(each <= 64.0, "{count} ids take {each} bytes each");
        }
        assert_eq!(index.standing("id-7"), bound(&moved("id-7", 7, true)));
        assert_eq!(index.standing("id-114689"), Standing::Unbound);
    }

    #[test]
    fn two_ids_that_meet_are_both_shut() {
        let index = Index::with_hash(|id| [id.len() as u8; 8]);
        index.apply(&[moved("one", 1, true)]);
        assert_eq!(index.standing("one"), bound(&moved("one", 1, true)));
        // An id without a chain is taken for the other: its proof cannot be right.
        assert_eq!(index.standing("two"), bound(&moved("one", 1, true)));
        index.apply(&[moved("two", 2, true)]);
        for id in ["one", "two"] {
            assert_eq!(index.standing(id), Standing::Unknown);
        }
        index.apply(&[moved("one", 3, false)]);
        assert_eq!(index.standing("one"), Standing::Unknown, "no link opens it");
        assert_eq!(index.standing("three"), Standing::Unbound);
    }

    #[test]
    fn an_id_that_is_unsettled_is_shut_until_it_was_read_again() {
        let index = Index::new();
        index.apply(&[moved("old", 1, true)]);
        index.unsettle(&[moved("old", 2, false), moved("new", 3, true), moved("gone", 4, true)]);
        for id in ["old", "new", "gone"] {
            assert_eq!(index.standing(id), Standing::Unknown);
        }
        index.settle(vec![moved("old", 2, true), moved("new", 3, true)]);
        assert_eq!(index.standing("old"), bound(&moved("old", 2, true)));
        assert_eq!(index.standing("new"), bound(&moved("new", 3, true)));
        assert_eq!(index.standing("gone"), Standing::Unbound);
        assert!(index.is_settled());
    }

    #[test]
    fn watchers_hear_what_settling_found_and_nothing_else() {
        let index = Index::new();
        index.apply(&[moved("same", 1, true), moved("moved", 2, true)]);
        let heard = std::sync::Arc::<parking_lot::Mutex<Vec<String>>>::default();
        let listener = heard.clone();
        index.watch(Box::new(move |change| listener.lock().push(change.id.to_owned())));
        index.unsettle(&[moved("same", 5, false), moved("moved", 6, false)]);
        index.settle(vec![moved("same", 1, true), moved("moved", 6, true)]);
        assert_eq!(*heard.lock(), ["moved"]);
    }
}
