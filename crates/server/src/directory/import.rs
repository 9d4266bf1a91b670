//! Imports: all records or none.
//!
//! Nothing here writes. A file is read and checked to its last line before the directory is
//! involved; then [`Import::plan`] decides about all records at once.

use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};

use securecall_core::chains::Brought;
use securecall_core::directory::{Decision, Replacement, decide};
use securecall_protocol::ClientId;

use super::record::{Identity, Record, RecordError, line_bytes_max};

/// The bound of conflicts that are named. All are counted.
const NAMED_MAX: usize = 10;

/// Records for a directory, each id once.
#[derive(Clone)]
pub struct Import {
    records: Vec<Record>,
    replacement: Replacement,
}

/// The reason why lines cannot be imported.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum ImportError {
    #[error("line {line}: {error}")]
    Record { line: usize, error: RecordError },
    #[error("line {line}: it repeats the id of line {first}")]
    Twice { line: usize, first: usize },
    #[error("line {line}: it is longer than {bytes_max} bytes")]
    TooLong { line: usize, bytes_max: usize },
    #[error("line {line}: it is not UTF-8")]
    NotText { line: usize },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The numbers of imported records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Ids that had no key, or no chain.
    pub new: usize,
    /// Ids that had the same key and the same chain.
    pub same: usize,
    /// Ids that had another key.
    pub replaced: usize,
    /// Ids whose chains became longer, or whose bundles are newer.
    pub longer: usize,
}

/// Records that prevented the import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts {
    /// The conflicting part of the records.
    pub of: ConflictOf,
    /// The numbers of the first conflicting lines, counted from 1.
    pub lines: Vec<usize>,
    /// The number of conflicts.
    pub count: usize,
}

/// The part of a record that is in conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictOf {
    /// The key, which can be replaced.
    Keys,
    /// The chain, which cannot be replaced: it is a fork, a rollback, or of another epoch.
    Chains,
}

/// The records to write, and the report after the commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) writes: Vec<Write>,
    pub(super) imported: Imported,
}

/// The parts of a record to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Write {
    /// The index of the record.
    pub(super) place: usize,
    pub(super) key: bool,
    pub(super) chain: bool,
}

/// The stored records, as far as a plan needs them.
pub(super) trait Stored {
    /// A failure to read it.
    type Error;

    /// Returns the key of an id.
    fn key(&self, id: &str) -> Result<Option<Box<str>>, Self::Error>;

    /// Compares the chain of a record with the stored one.
    fn compare(&self, identity: &Identity) -> Result<Brought, Self::Error>;
}

impl Import {
    /// Reads all lines. If an id has another key, [`Replacement::Allowed`] replaces it, and
    /// [`Replacement::Refused`] makes it a conflict.
    ///
    /// # Errors
    /// The first line that is no record, is too long, or repeats an id.
    pub fn read(
        mut lines: impl BufRead,
        key_bytes_max: usize,
        replacement: Replacement,
    ) -> Result<Self, ImportError> {
        let mut records: Vec<Record> = Vec::new();
        let mut line_of: HashMap<ClientId, usize> = HashMap::new();
        let mut text = Vec::new();
        for line in 1.. {
            if !read_line(&mut lines, &mut text, line, line_bytes_max(key_bytes_max))? {
                break;
            }
            let text = std::str::from_utf8(&text).map_err(|_| ImportError::NotText { line })?;
            let record = Record::parse(text, key_bytes_max)
                .map_err(|error| ImportError::Record { line, error })?;
            if let Some(first) = line_of.insert(record.client_id.clone(), line) {
                return Err(ImportError::Twice { line, first });
            }
            records.push(record);
        }
        Ok(Self { records, replacement })
    }

    /// Returns the records in the order of their lines.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns whether other keys are replaced.
    pub(crate) fn replacement(&self) -> Replacement {
        self.replacement
    }

    /// Returns the number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns true if there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Decides about all records, given the stored ones.
    pub(super) fn plan<S: Stored>(&self, stored: &S) -> Result<Result<Plan, Conflicts>, S::Error> {
        let mut plan = Plan { writes: Vec::new(), imported: Imported::default() };
        let [mut keys, mut chains] = [ConflictOf::Keys, ConflictOf::Chains].map(Conflicts::none);
        for (place, record) in self.records.iter().enumerate() {
            let key = self.decide(record, stored)?;
            let chain = record.identity.as_ref().map(|identity| stored.compare(identity));
            let chain = chain.transpose()?;
            if key == Some(Decision::Pinned) {
                keys.add(place + 1);
            }
            if chain == Some(Brought::Contradicts) {
                chains.add(place + 1);
            }
            plan.add(place, key, chain);
        }
        // Chains first, because --replace does not help there.
        let conflicts = [chains, keys].into_iter().find(|conflicts| conflicts.count > 0);
        Ok(conflicts.map_or(Ok(plan), Err))
    }

    fn decide<S: Stored>(&self, record: &Record, stored: &S) -> Result<Option<Decision>, S::Error> {
        let Some(key) = &record.public_key else { return Ok(None) };
        let existing = stored.key(record.client_id.as_str())?;
        Ok(Some(decide(existing.as_deref(), key, self.replacement)))
    }
}

impl Plan {
    fn add(&mut self, place: usize, key: Option<Decision>, chain: Option<Brought>) {
        // The bound of records is for clients; an operator may exceed it.
        let new_key = matches!(key, Some(Decision::Create | Decision::NotCreated));
        let replaced = key == Some(Decision::Replace);
        let write = Write {
            place,
            key: new_key || replaced,
            chain: matches!(chain, Some(Brought::New | Brought::Longer)),
        };
        let counter = match chain {
            _ if replaced => &mut self.imported.replaced,
            _ if new_key => &mut self.imported.new,
            Some(Brought::New) => &mut self.imported.new,
            Some(Brought::Longer) => &mut self.imported.longer,
            _ => &mut self.imported.same,
        };
        *counter += 1;
        if write.key || write.chain {
            self.writes.push(write);
        }
    }
}

impl Conflicts {
    fn none(of: ConflictOf) -> Self {
        Self { of, lines: Vec::new(), count: 0 }
    }

    fn add(&mut self, line: usize) {
        self.count += 1;
        if self.lines.len() < NAMED_MAX {
            self.lines.push(line);
        }
    }
}

/// Reads a line without its end. Returns false after the last one.
fn read_line(
    lines: &mut impl BufRead,
    text: &mut Vec<u8>,
    line: usize,
    bytes_max: usize,
) -> Result<bool, ImportError> {
    text.clear();
    // One more, for the line feed.
    lines.by_ref().take(bytes_max as u64 + 1).read_until(b'\n', text)?;
    if text.is_empty() {
        return Ok(false);
    }
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    if text.len() > bytes_max {
        return Err(ImportError::TooLong { line, bytes_max });
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use crate::directory::identities::Owner;

    use super::Replacement::{Allowed, Refused};
    use super::*;

    fn read(text: &str) -> Result<Import, String> {
        Import::read(text.as_bytes(), 100, Refused).map_err(|error| error.to_string())
    }

    fn lines(records: &[(&str, &str)]) -> String {
        let line =
            |(id, key): &(&str, &str)| format!("{{\"clientId\":\"{id}\",\"publicKey\":{key}}}\n");
        records.iter().map(line).collect()
    }

    fn plan(
        stored: &[(&str, &str)],
        records: &[(&str, &str)],
        replacement: Replacement,
    ) -> Result<Plan, Conflicts> {
        let import = Import::read(lines(records).as_bytes(), 100, replacement).unwrap();
        import
            .plan(&Shelf { keys: stored.iter().copied().collect(), brought: Brought::New })
            .unwrap()
    }

    /// A directory with these keys, to which every chain is this.
    struct Shelf<'a> {
        keys: BTreeMap<&'a str, &'a str>,
        brought: Brought,
    }

    impl Stored for Shelf<'_> {
        type Error = Infallible;

        fn key(&self, id: &str) -> Result<Option<Box<str>>, Infallible> {
            Ok(self.keys.get(id).map(|key| Box::from(*key)))
        }

        fn compare(&self, _: &Identity) -> Result<Brought, Infallible> {
            Ok(self.brought)
        }
    }

    fn of_key(place: usize) -> Write {
        Write { place, key: true, chain: false }
    }

    #[test]
    fn a_chain_is_taken_or_there_or_contradicts() {
        let links = Owner::of("alice").texts().join("\",\"");
        let line = format!("{{\"clientId\":\"alice\",\"links\":[\"{links}\"]}}");
        let import = Import::read(line.as_bytes(), 100, Allowed).unwrap();
        let plan = |brought| import.plan(&Shelf { keys: BTreeMap::new(), brought }).unwrap();
        let none = Imported::default();
        let writes = vec![Write { place: 0, key: false, chain: true }];
        for (brought, imported) in [
            (Brought::New, Imported { new: 1, ..none }),
            (Brought::Longer, Imported { longer: 1, ..none }),
        ] {
            assert_eq!(plan(brought), Ok(Plan { writes: writes.clone(), imported }));
        }
        let same = Plan { writes: Vec::new(), imported: Imported { same: 1, ..none } };
        assert_eq!(plan(Brought::Same), Ok(same));
        let conflicts = Conflicts { of: ConflictOf::Chains, lines: vec![1], count: 1 };
        assert_eq!(plan(Brought::Contradicts), Err(conflicts), "also if keys are replaced");
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        for (text, count) in [("", 0), (&lines(&[("a", r#""k""#), ("b", r#""k""#)]), 2)] {
            assert_eq!(read(text).unwrap().records.len(), count);
            assert_eq!(read(text.trim_end()).unwrap().records.len(), count);
        }
    }

    #[test]
    fn the_line_that_is_wrong_is_named_and_not_repeated() {
        let good = lines(&[("alice", r#""k""#)]);
        for (bad, says) in [
            ("\n", "line 2: not a record"),
            (&good, "line 2: it repeats the id of line 1"),
            ("{\"clientId\":\"a/b\",\"publicKey\":\"secret\"}", "line 2: a client id is"),
            (&"secret".repeat(30_000), "line 2: it is longer than 121188 bytes"),
        ] {
            let error = read(&format!("{good}{bad}")).err().unwrap();
            assert!(error.starts_with(says), "{error}");
            assert!(!error.contains("secret") && !error.contains("alice"), "{error}");
        }
    }

    #[test]
    fn a_line_that_is_not_utf_8_is_refused() {
        let error = Import::read(&b"\xff\n"[..], 100, Refused).err().unwrap();
        assert!(matches!(error, ImportError::NotText { line: 1 }));
    }

    #[test]
    fn a_line_of_the_greatest_length_is_read() {
        let padded = |bytes: usize| {
            let line = lines(&[("a", r#""k""#)]);
            format!("{}{}\n", line.trim_end(), " ".repeat(bytes + 1 - line.len()))
        };
        assert!(read(&padded(line_bytes_max(100))).is_ok());
        assert!(read(&padded(line_bytes_max(100) + 1)).is_err());
    }

    #[test]
    fn new_records_are_written_and_those_that_are_there_are_not() {
        let stored = [("a", r#""k/k""#), ("c", r#""k""#)];
        let plan = plan(&stored, &[("a", r#""k\/k""#), ("b", r#""l""#)], Refused);
        let imported = Imported { new: 1, same: 1, ..Imported::default() };
        assert_eq!(plan, Ok(Plan { writes: vec![of_key(1)], imported }));
    }

    #[test]
    fn one_conflict_prevents_the_import() {
        let stored = [("b", r#""k""#)];
        let records = [("a", r#""k""#), ("b", r#""l""#)];
        assert_eq!(
            plan(&stored, &records, Refused),
            Err(Conflicts { of: ConflictOf::Keys, lines: vec![2], count: 1 })
        );
    }

    #[test]
    fn a_conflict_is_replaced_where_that_is_wanted() {
        let plan = plan(&[("a", r#""k""#)], &[("a", r#""l""#), ("b", r#""l""#)], Allowed);
        let imported = Imported { new: 1, replaced: 1, ..Imported::default() };
        assert_eq!(plan, Ok(Plan { writes: vec![of_key(0), of_key(1)], imported }));
    }

    #[test]
    fn the_first_conflicts_are_named_and_all_are_counted() {
        let ids: Vec<String> = (0..25).map(|n| format!("id-{n}")).collect();
        let stored: Vec<_> = ids.iter().map(|id| (id.as_str(), r#""k""#)).collect();
        let records: Vec<_> = ids.iter().map(|id| (id.as_str(), r#""l""#)).collect();
        let conflicts = plan(&stored, &records, Refused).unwrap_err();
        assert_eq!(
            conflicts,
            Conflicts { of: ConflictOf::Keys, lines: (1..=10).collect(), count: 25 }
        );
    }
}
