//! Names of files that come from outside.

use std::path::{Path, PathBuf};

use crate::deceives;

/// Bytes of a name, as most file systems have it.
const NAME_BYTES_MAX: usize = 255;
/// Bytes that stay free for a number: `a (1000).txt`.
const NUMBER_BYTES_MAX: usize = 7;
/// Stands for what is not harmless where it stands.
const HARMLESS: char = '_';

/// A name that is harmless in any folder, on any system, and in any command: it has no path, is not
/// hidden, is no option or home folder, confuses no terminal, and names no device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName {
    name: String,
    is_renamed: bool,
}

impl FileName {
    /// The harmless form of a name, which is the name itself if it is harmless. `None` if no system
    /// has a file of such a name.
    pub(crate) fn new(name: &str) -> Option<Self> {
        if name.is_empty() || name.contains(['/', '\0']) {
            return None;
        }
        let replaced = name.chars().map(|it| if is_dangerous(it) { HARMLESS } else { it });
        let harmless = without_dangerous_ends(replaced.collect());
        let prefix = if is_device(&harmless) { "_" } else { "" };
        let harmless = shortened(format!("{prefix}{harmless}"));
        Some(Self { is_renamed: harmless != name, name: harmless })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// Returns true if the name differs from the one that came from outside.
    pub(crate) const fn is_renamed(&self) -> bool {
        self.is_renamed
    }

    /// The paths to try in a folder, the best first: `a.txt`, `a (2).txt`, `a (3).txt`, …
    pub(crate) fn places(&self, folder: &Path) -> impl Iterator<Item = PathBuf> {
        const PLACES_MAX: u32 = 1000;
        let (stem, extension) = match self.name.rsplit_once('.') {
            Some((stem, extension)) => (stem, format!(".{extension}")),
            None => (self.name.as_str(), String::new()),
        };
        let (first, folder, stem) = (folder.join(&self.name), folder.to_owned(), stem.to_owned());
        let others = (2..=PLACES_MAX).map(move |n| folder.join(format!("{stem} ({n}){extension}")));
        std::iter::once(first).chain(others)
    }
}

/// Returns true for characters that [`deceives`] knows, and for those that separate, match or
/// redirect on some system. `:` also names a stream within a file on Windows.
fn is_dangerous(character: char) -> bool {
    deceives(character) || matches!(character, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

/// At its beginning, a dot hides a file, and covers "." and ".."; `-` makes it an option, `~` a
/// home folder. Windows drops dots and blanks at an end, so that another file would be meant.
fn without_dangerous_ends(name: String) -> String {
    let mut characters: Vec<char> = name.chars().collect();
    if let Some(first) = characters.first_mut()
        && (matches!(first, '.' | '-' | '~') || first.is_whitespace())
    {
        *first = HARMLESS;
    }
    if let Some(last) = characters.last_mut()
        && (*last == '.' || last.is_whitespace())
    {
        *last = HARMLESS;
    }
    characters.into_iter().collect()
}

/// Returns true if Windows takes a name for a device, with any extension.
fn is_device(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let is_numbered = |kind: &str| {
        let number = stem.strip_prefix(kind).unwrap_or_default();
        let mut digits = number.chars();
        matches!(digits.next(), Some('0'..='9' | '¹' | '²' | '³')) && digits.next().is_none()
    };
    DEVICES.contains(&stem.as_str()) || is_numbered("com") || is_numbered("lpt")
}

/// Cuts the stem, so that the name, with a number, is one that a file system takes. A name may be
/// longer where it comes from: others count characters.
fn shortened(name: String) -> String {
    const BYTES_MAX: usize = NAME_BYTES_MAX - NUMBER_BYTES_MAX;
    const EXTENSION_BYTES_MAX: usize = 32;
    if name.len() <= BYTES_MAX {
        return name;
    }
    let dot = name.rfind('.').filter(|dot| name.len() - dot <= EXTENSION_BYTES_MAX);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let stem = stem.get(..stem.floor_char_boundary(BYTES_MAX - extension.len()));
    let stem =
        stem.unwrap_or_default().trim_end_matches(|it: char| it == '.' || it.is_whitespace());
    format!("{stem}{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_harmless(name: &str, expected: &str) {
        let harmless = FileName::new(name).unwrap();
        assert_eq!(harmless.as_str(), expected);
        assert_eq!(harmless.is_renamed(), name != expected, "{name:?}");
    }

    #[test]
    fn a_name_that_no_file_can_have_is_refused() {
        for name in ["", "/", "../x", "a/b", "/etc/passwd", "a\0b"] {
            assert_eq!(FileName::new(name), None, "{name:?}");
        }
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        let long = "x".repeat(NAME_BYTES_MAX - NUMBER_BYTES_MAX);
        for name in [
            "a",
            "Überraschung 2.tar.gz",
            "a..b",
            "写真.jpg",
            "می\u{200c}خواهم.txt",
            "a-b~c.txt",
            "console.log",
            "com.txt",
            "com10",
            "auxiliary.c",
            &long,
        ] {
            assert_harmless(name, name);
        }
    }

    #[test]
    fn names_that_hide_or_mean_something_else_become_harmless() {
        assert_harmless(".bashrc", "_bashrc");
        assert_harmless(".", "_");
        assert_harmless("..", "__");
        assert_harmless("-rf", "_rf");
        assert_harmless("--help", "_-help");
        assert_harmless("~root", "_root");
        assert_harmless(" a", "_a");
        assert_harmless("a ", "a_");
        assert_harmless("a.", "a_");
        assert_harmless("\u{a0}a", "_a");
    }

    #[test]
    fn characters_that_separate_or_deceive_become_harmless() {
        assert_harmless("12:30 notes.txt", "12_30 notes.txt");
        assert_harmless("C:\\x", "C__x");
        assert_harmless("what?.txt", "what_.txt");
        assert_harmless("a\nb", "a_b");
        assert_harmless("\u{1b}[2J", "_[2J");
        assert_harmless("photo\u{202e}gpj.exe", "photo_gpj.exe");
        assert_harmless("a\u{200b}b", "a_b");
        assert_harmless("\u{feff}a", "_a");
    }

    #[test]
    fn names_of_devices_become_harmless() {
        for name in ["con", "CON", "nul.txt", "Aux .tar.gz", "COM1", "lpt9.log", "com¹", "CONOUT$"]
        {
            assert_harmless(name, &format!("_{name}"));
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_shortened_and_keeps_its_extension() {
        let name = FileName::new(&format!("{}.tar.gz", "写".repeat(200))).unwrap();
        assert!(name.as_str().ends_with("写.gz") || name.as_str().ends_with(".tar.gz"));
        let places = name.places(Path::new(""));
        assert!(places.last().unwrap().as_os_str().len() <= NAME_BYTES_MAX);
        let no_extension = FileName::new(&format!("a.{}", "b".repeat(400))).unwrap();
        assert!(no_extension.as_str().starts_with("a.bbb"));
        assert_eq!(no_extension.as_str().len(), NAME_BYTES_MAX - NUMBER_BYTES_MAX);
    }

    #[test]
    fn a_harmless_name_is_its_own_harmless_name() {
        for name in ["..", "-", "~", "con", "a. . .", " . ", "C:\\", &"é.".repeat(300)] {
            let once = FileName::new(name).unwrap();
            assert_harmless(once.as_str(), once.as_str());
        }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_before_its_extension() {
        let name = FileName::new("a.txt").unwrap();
        let places: Vec<_> = name.places(Path::new("f")).take(3).collect();
        assert_eq!(places, ["f/a.txt", "f/a (2).txt", "f/a (3).txt"].map(PathBuf::from));
    }
}
