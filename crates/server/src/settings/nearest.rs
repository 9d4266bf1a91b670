//! What somebody meant who wrote a name that does not exist.

/// The name most like `written`, unless none is.
pub(super) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let (distance, name) = names.map(|name| (distance(written, name), name)).min()?;
    // One slip in every three letters still is a slip; more is another word.
    (distance * 3 <= written.len()).then(|| name.to_owned())
}

/// Edits between two names; none for a right key in the wrong section.
fn distance(written: &str, name: &str) -> usize {
    if last(written) == last(name) {
        return 0;
    }
    strsim::damerau_levenshtein(written, name)
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
