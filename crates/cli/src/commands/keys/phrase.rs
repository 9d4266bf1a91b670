//! A seed as 24 words (BIP-39, English): 256 bits and a checksum of eight.

use std::io::Read;

use bip0039::{English, Mnemonic};
use securecall_characters::deceives;
use securecall_seal::Seed;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Words for 256 bits.
const WORDS: usize = 24;
/// 24 words of at most eight letters, with room for blanks.
const PHRASE_BYTES_MAX: u64 = 4096;

/// The words of a seed: in one line, or six in a line for somebody who copies them.
pub(super) fn words(seed: &Seed, for_paper: bool) -> Zeroizing<String> {
    const WORDS_IN_A_LINE: usize = 6;
    // 32 bytes are always one of the lengths that BIP-39 has.
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

/// The seed of words in any case, with any blanks and whatever cannot be seen between them.
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

/// UTF-8, or UTF-16 with its byte order mark, in which Windows writes a file. `None`: neither.
fn decode(bytes: &[u8]) -> Option<Zeroizing<String>> {
    // Room for all of it, so that no copy is left behind where it grew.
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

/// The words in lower case, with one blank between two. What cannot be seen is no slip of the pen:
/// a byte order mark, a space without a width.
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

/// Says no word: an error is read by others.
fn reason(error: &bip0039::Error) -> String {
    let reason = match error {
        bip0039::Error::UnknownWord(_) => NOT_IN_THE_LIST,
        _ => DO_NOT_FIT,
    };
    reason.to_owned()
}

const NOT_IN_THE_LIST: &str =
    "one of them is not in the list of BIP-39 (English): look for a slip of the pen";
const DO_NOT_FIT: &str = "they do not fit together: one is wrong, or two are swapped";
