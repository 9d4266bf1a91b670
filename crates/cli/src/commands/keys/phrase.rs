//! A seed as 24 words (BIP-39, English): 256 bits and a checksum of eight bits.

use std::io::Read;

use bip0039::{English, Mnemonic};
use securecall_characters::deceives;
use securecall_seal::Seed;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The number of words for 256 bits.
const WORDS: usize = 24;
/// The bound of the input: 24 words of at most eight letters, and generous white space.
const PHRASE_BYTES_MAX: u64 = 4096;

/// Returns the words of a seed, in one line or (for paper) six in a line.
pub(super) fn words(seed: &Seed, for_paper: bool) -> Zeroizing<String> {
    const WORDS_IN_A_LINE: usize = 6;
    // This cannot fail: 32 bytes are one of the lengths that BIP-39 allows.
    let mnemonic = Mnemonic::<English>::from_entropy(seed.as_bytes().to_vec());
    let phrase = Zeroizing::new(mnemonic.map(Mnemonic::into_phrase).unwrap_or_default());
    let words: Vec<&str> = phrase.split(' ').collect();
    let in_a_line = if for_paper { WORDS_IN_A_LINE } else { words.len() };
    let mut text = Zeroizing::new(String::with_capacity(phrase.len() + 1));
    for line in words.chunks(in_a_line.max(1)) {
        text.push_str(&line.join(" "));
        text.push('\n');
    }
    text
}

/// Reads a seed from its words, in upper or lower case, with any white space or invisible
/// characters between them.
pub(super) fn seed(input: impl Read) -> Result<Seed, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(PHRASE_BYTES_MAX as usize));
    let read = input.take(PHRASE_BYTES_MAX).read_to_end(&mut bytes);
    let text = read.ok().and_then(|_| decode(&bytes)).ok_or_else(unreadable)?;
    let phrase = one_line(&text);
    let words = phrase.split_whitespace().count();
    if words != WORDS {
        return Err(Failure::Phrase(format!("there must be {WORDS}, not {words}")));
    }
    let mnemonic = Mnemonic::<English>::from_phrase(phrase.as_str());
    let entropy = mnemonic.map(Mnemonic::into_entropy).map(Zeroizing::new);
    let entropy = entropy.map_err(|error| Failure::Phrase(reason(&error)))?;
    let bytes = entropy.as_slice().try_into().map(Zeroizing::new);
    bytes.map(Seed::from_bytes).map_err(|_| Failure::Phrase(DO_NOT_FIT.to_owned()))
}

fn unreadable() -> Failure {
    Failure::Phrase("the words cannot be read from standard input".to_owned())
}

/// Decodes UTF-8, or UTF-16 with a byte order mark, as Windows writes files. Returns `None` for
/// anything else.
fn decode(bytes: &[u8]) -> Option<Zeroizing<String>> {
    // Reserved in advance, because growing would leave copies of the secret in freed memory.
    let mut text = Zeroizing::new(String::with_capacity(2 * PHRASE_BYTES_MAX as usize));
    match bytes {
        [0xff, 0xfe, units @ ..] => push_utf16(&mut text, units, u16::from_le_bytes)?,
        [0xfe, 0xff, units @ ..] => push_utf16(&mut text, units, u16::from_be_bytes)?,
        bytes => text.push_str(std::str::from_utf8(bytes).ok()?),
    }
    Some(text)
}

fn push_utf16(text: &mut String, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<()> {
    let units = bytes.chunks(2).map(|pair| pair.try_into().map_or(0, unit));
    char::decode_utf16(units).try_for_each(|character| {
        text.push(character.ok()?);
        Some(())
    })
}

/// Returns the words in lower case, separated by single spaces. Invisible characters, such as a
/// byte order mark or a zero-width space, are removed: the user cannot see them.
fn one_line(text: &str) -> Zeroizing<String> {
    let mut phrase = Zeroizing::new(String::with_capacity(2 * text.len()));
    let visible = |character: &char| character.is_whitespace() || !deceives(*character);
    for character in text.chars().filter(visible).flat_map(char::to_lowercase) {
        match character.is_whitespace() {
            true if phrase.is_empty() || phrase.ends_with(' ') => {}
            true => phrase.push(' '),
            false => phrase.push(character),
        }
    }
    if phrase.ends_with(' ') {
        phrase.pop();
    }
    phrase
}

/// Describes the error without naming a word, because error messages end up in logs.
fn reason(error: &bip0039::Error) -> String {
    let reason = match error {
        bip0039::Error::UnknownWord(_) => NOT_IN_THE_LIST,
        _ => DO_NOT_FIT,
    };
    reason.to_owned()
}

const NOT_IN_THE_LIST: &str =
    "one of them is not in the list of BIP-39 (English): check the spelling";
const DO_NOT_FIT: &str = "the checksum is wrong: a word is wrong, or two are swapped";
