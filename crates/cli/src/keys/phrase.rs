//! A seed as 24 words (BIP-39, English): 256 bits and a checksum of eight.

use std::io::Read;

use bip0039::{English, Mnemonic};
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

/// The seed of words in any case, with any blanks between them.
pub(super) fn seed(input: impl Read) -> Result<Seed, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(PHRASE_BYTES_MAX as usize));
    let read = input.take(PHRASE_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|_| Failure::Phrase("the words cannot be read from standard input".to_owned()))?;
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() != WORDS {
        return Err(Failure::Phrase(format!("there must be {WORDS}, not {}", words.len())));
    }
    let phrase = Zeroizing::new(words.join(" ").to_lowercase());
    let mnemonic = Mnemonic::<English>::from_phrase(phrase.as_str());
    let entropy = mnemonic.map(Mnemonic::into_entropy).map(Zeroizing::new);
    let entropy = entropy.map_err(|error| Failure::Phrase(reason(&error)))?;
    let bytes = entropy.as_slice().try_into().map(Zeroizing::new);
    bytes.map(Seed::from_bytes).map_err(|_| Failure::Phrase(DO_NOT_FIT.to_owned()))
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
