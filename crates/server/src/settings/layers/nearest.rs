//! Suggestions for unknown names.

use strsim::damerau_levenshtein as edits;

use super::environment::VARIABLE_PREFIX;

/// Returns the name most similar to `written`, if one is similar enough. The section of a key only
/// breaks ties, so that the right key in the wrong section is found.
pub(crate) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let own = own_part(written);
    let ranked = names.map(|name| (edits(own, own_part(name)), edits(written, name), name));
    let (distance, _, name) = ranked.min()?;
    // One typing error in every three letters is accepted; with more it is another word.
    (distance * 3 <= own.len()).then(|| name.to_owned())
}

/// Returns the part of a name that distinguishes it from others.
fn own_part(name: &str) -> &str {
    let key = name.rsplit('.').next().unwrap_or(name);
    key.strip_prefix(VARIABLE_PREFIX).unwrap_or(key)
}
