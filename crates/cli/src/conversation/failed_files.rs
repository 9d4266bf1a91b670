//! The files of a conversation that were not transferred.

use std::fmt;

use securecall_peer::Direction;

/// The bound of remembered names. Further files are only counted.
const NAMES_MAX: usize = 8;

/// Files that were not sent, and files that were not received.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct FailedFiles {
    not_sent: Names,
    not_received: Names,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Names {
    names: Vec<String>,
    count: usize,
}

impl FailedFiles {
    pub(super) fn add(&mut self, direction: Direction, name: &str) {
        let Names { names, count } = match direction {
            Direction::Outgoing => &mut self.not_sent,
            Direction::Incoming => &mut self.not_received,
        };
        *count += 1;
        if names.len() < NAMES_MAX {
            names.push(name.to_owned());
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.not_sent.count + self.not_received.count == 0
    }
}

impl fmt::Display for FailedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = [(&self.not_sent, "sent"), (&self.not_received, "received")];
        let said = said.into_iter().filter_map(|(names, what)| names.sentence(what));
        f.write_str(&said.collect::<Vec<_>>().join("; "))
    }
}

impl Names {
    fn sentence(&self, what: &str) -> Option<String> {
        let listed = self.names.join(", ");
        match (self.count, self.count - self.names.len()) {
            (0, _) => None,
            (1, _) => Some(format!("{listed} was not {what}")),
            (count, 0) => Some(format!("{count} files were not {what}: {listed}")),
            (count, more) => {
                Some(format!("{count} files were not {what}: {listed} and {more} more"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_files_are_named_and_many_are_counted() {
        let mut files = FailedFiles::default();
        assert!(files.is_empty());
        files.add(Direction::Outgoing, "film.bin");
        assert_eq!(files.to_string(), "film.bin was not sent");
        files.add(Direction::Incoming, "a");
        files.add(Direction::Incoming, "b");
        assert_eq!(files.to_string(), "film.bin was not sent; 2 files were not received: a, b");
        (0..7).for_each(|n| files.add(Direction::Incoming, &n.to_string()));
        assert!(files.to_string().ends_with("a, b, 0, 1, 2, 3, 4, 5 and 1 more"), "{files}");
    }
}
