//! What somebody meant who wrote a name that does not exist.

use strsim::damerau_levenshtein as edits;

use super::surroundings::VARIABLE_PREFIX;

/// The name most like `written`, unless none is. The section of a key only decides between
/// equals, so that the right key in the wrong section is found.
pub(crate) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let own = own_part(written);
    let ranked = names.map(|name| (edits(own, own_part(name)), edits(written, name), name));
    let (distance, _, name) = ranked.min()?;
    // One slip in every three letters still is a slip; more is another word.
    (distance * 3 <= own.len()).then(|| name.to_owned())
}

/// A name without what it shares with others.
fn own_part(name: &str) -> &str {
    let key = name.rsplit('.').next().unwrap_or(name);
    key.strip_prefix(VARIABLE_PREFIX).unwrap_or(key)
}
