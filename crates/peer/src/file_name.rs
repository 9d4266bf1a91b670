//! Names of files that come from outside.

use std::path::{Path, PathBuf};

use crate::deceives;

/// Bytes of a name, as most file systems have it.
const NAME_BYTES_MAX: usize = 255;

/// A name without a path: it cannot leave the folder, hide, or confuse a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName(String);

impl FileName {
    /// `None` for a name that is not acceptable.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
        // A leading dot covers "." and "..", and files that a shell or a desktop hides and reads.
        let shows = !name.starts_with('.') && name.trim() == name;
        (fits && shows && !name.chars().any(is_dangerous)).then(|| Self(name.to_owned()))
    }

    /// The name of a file here.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        Self::new(path.file_name()?.to_str()?)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it may go in a folder, the best place first: `a.txt`, `a (2).txt`, `a (3).txt`, …
    pub(crate) fn places(&self, folder: &Path) -> impl Iterator<Item = PathBuf> {
        const PLACES_MAX: u32 = 1000;
        let (stem, extension) = match self.0.rsplit_once('.') {
            Some((stem, extension)) => (stem, format!(".{extension}")),
            None => (self.0.as_str(), String::new()),
        };
        let (first, folder, stem) = (folder.join(&self.0), folder.to_owned(), stem.to_owned());
        let others = (2..=PLACES_MAX).map(move |n| folder.join(format!("{stem} ({n}){extension}")));
        std::iter::once(first).chain(others)
    }
}

/// Separators of any system, and what [`deceives`].
fn is_dangerous(character: char) -> bool {
    matches!(character, '/' | '\\' | ':') || deceives(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_hide_or_confuse_are_refused() {
        let long = "x".repeat(256);
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc/passwd",
            "a\\b",
            "C:x",
            ".bashrc",
            "a\0b",
            "a\nb",
            "\u{1b}[2J",
            "photo\u{202e}gpj.exe",
            "photo\u{61c}gpj.exe",
            "a\u{2028}b",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{e0041}",
            " a",
            "a ",
            &long,
        ] {
            assert_eq!(FileName::new(name), None, "{name:?}");
        }
    }

    #[test]
    fn ordinary_names_are_taken() {
        for name in ["a", "Überraschung 2.tar.gz", "a..b", "写真.jpg", "می\u{200c}خواهم.txt"]
        {
            assert!(FileName::new(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_before_its_extension() {
        let name = FileName::new("a.txt").unwrap();
        let places: Vec<_> = name.places(Path::new("f")).take(3).collect();
        assert_eq!(places, ["f/a.txt", "f/a (2).txt", "f/a (3).txt"].map(PathBuf::from));
    }
}
