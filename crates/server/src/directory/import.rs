//! Imports: all records or none.
//!
//! Nothing here writes. A file is read and checked to its last line before the directory is
//! involved; then [`Import::plan`] decides about all records at once.

use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};

use securecall_core::directory::{Decision, Replacement, decide};
use securecall_protocol::ClientId;

use super::record::{Record, RecordError, line_bytes_max};

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
    /// Ids that had no key.
    pub new: usize,
    /// Ids that had the same key.
    pub same: usize,
    /// Ids that had another key.
    pub replaced: usize,
}

/// Records whose ids have other keys. Nothing was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts {
    /// The numbers of the first conflicting lines, counted from 1.
    pub lines: Vec<usize>,
    /// The number of conflicts.
    pub count: usize,
}

/// The records to write, and the report after the commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The indexes of the records to write.
    pub(super) writes: Vec<usize>,
    pub(super) imported: Imported,
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

    /// Decides about all records, given the stored keys.
    pub(super) fn plan<E>(
        &self,
        mut key_of: impl FnMut(&str) -> Result<Option<Box<str>>, E>,
    ) -> Result<Result<Plan, Conflicts>, E> {
        let mut plan = Plan { writes: Vec::new(), imported: Imported::default() };
        let mut conflicts = Conflicts { lines: Vec::new(), count: 0 };
        for (place, Record { client_id, public_key }) in self.records.iter().enumerate() {
            let existing = key_of(client_id.as_str())?;
            match decide(existing.as_deref(), public_key, self.replacement) {
                Decision::Keep => plan.imported.same += 1,
                // The bound of records is for clients; an operator may exceed it.
                Decision::Create | Decision::NotCreated => {
                    plan.write(place, |imported| &mut imported.new);
                }
                Decision::Replace => plan.write(place, |imported| &mut imported.replaced),
                Decision::Pinned => conflicts.add(place + 1),
            }
        }
        Ok(if conflicts.count == 0 { Ok(plan) } else { Err(conflicts) })
    }
}

impl Plan {
    fn write(&mut self, place: usize, counter: fn(&mut Imported) -> &mut usize) {
        self.writes.push(place);
        *counter(&mut self.imported) += 1;
    }
}

impl Conflicts {
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
        let stored: BTreeMap<_, _> = stored.iter().copied().collect();
        let import = Import::read(lines(records).as_bytes(), 100, replacement).unwrap();
        let key_of = |id: &str| Ok::<_, Infallible>(stored.get(id).map(|key| Box::from(*key)));
        import.plan(key_of).unwrap()
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
            (&"secret".repeat(1000), "line 2: it is longer than 1124 bytes"),
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
        let padded = |bytes: usize| format!("{:<bytes$}\n", lines(&[("a", r#""k""#)]).trim_end());
        assert!(read(&padded(1124)).is_ok());
        assert!(read(&padded(1125)).is_err());
    }

    #[test]
    fn new_records_are_written_and_those_that_are_there_are_not() {
        let stored = [("a", r#""k/k""#), ("c", r#""k""#)];
        let plan = plan(&stored, &[("a", r#""k\/k""#), ("b", r#""l""#)], Refused);
        let imported = Imported { new: 1, same: 1, replaced: 0 };
        assert_eq!(plan, Ok(Plan { writes: vec![1], imported }));
    }

    #[test]
    fn one_conflict_prevents_the_import() {
        let stored = [("b", r#""k""#)];
        let records = [("a", r#""k""#), ("b", r#""l""#)];
        assert_eq!(plan(&stored, &records, Refused), Err(Conflicts { lines: vec![2], count: 1 }));
    }

    #[test]
    fn a_conflict_is_replaced_where_that_is_wanted() {
        let plan = plan(&[("a", r#""k""#)], &[("a", r#""l""#), ("b", r#""l""#)], Allowed);
        let imported = Imported { new: 1, same: 0, replaced: 1 };
        assert_eq!(plan, Ok(Plan { writes: vec![0, 1], imported }));
    }

    #[test]
    fn the_first_conflicts_are_named_and_all_are_counted() {
        let ids: Vec<String> = (0..25).map(|n| format!("id-{n}")).collect();
        let stored: Vec<_> = ids.iter().map(|id| (id.as_str(), r#""k""#)).collect();
        let records: Vec<_> = ids.iter().map(|id| (id.as_str(), r#""l""#)).collect();
        let conflicts = plan(&stored, &records, Refused).unwrap_err();
        assert_eq!(conflicts, Conflicts { lines: (1..=10).collect(), count: 25 });
    }
}
