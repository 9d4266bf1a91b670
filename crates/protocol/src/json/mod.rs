//! JSON, read where it stands: one pass over a text, each value a slice of it.
//!
//! A message is two levels of objects whose fields matter, and strings. Everything else is checked
//! against the grammar (RFC 8259) and passed over. What counts as JSON is what serde_json takes
//! for a raw value, which a property test holds this reader to; but for nesting, see
//! [`DEPTH_MAX`]. Why it is a reader of our own: docs/decisions/0015.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// The bound of nested values. No message of ours goes below 4, and without a bound the reader's
/// stack would have none either.
const DEPTH_MAX: usize = 128;

/// The text is not the JSON that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

/// A value as it stands in the text.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    /// Its JSON.
    pub(crate) json: &'a str,
    /// The escapes in it, if it is a string.
    escapes: Escapes,
}

/// The escapes in a string, the worst of them: what has to be done to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Escapes {
    /// No escapes, or the value is not a string.
    None,
    /// Some, each of which stands for a character.
    Characters,
    /// Half a surrogate pair alone, which is no Unicode. RFC 8259 allows it, RFC 7493 does not, and
    /// most readers refuse the whole text because of it.
    LoneSurrogate,
}

impl<'a> Value<'a> {
    /// The text that a string stands for. `None` if it is not Unicode, or not a string.
    #[inline]
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self.escapes {
            Escapes::None => self.json.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed),
            Escapes::Characters => serde_json::from_str(self.json).ok().map(Cow::Owned),
            Escapes::LoneSurrogate => None,
        }
    }

    /// Returns true if it is a string that stands for text, as [`Value::text`] gives it.
    #[inline]
    pub(crate) fn is_text(self) -> bool {
        self.json.starts_with('"') && self.is_unicode()
    }

    /// Returns true if no half of a surrogate pair stands alone in it.
    #[inline]
    pub(crate) fn is_unicode(self) -> bool {
        self.escapes != Escapes::LoneSurrogate
    }
}

/// A place in a text.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads an object. `read` is given each key, and must read the value.
    #[inline]
    pub(crate) fn object(
        &mut self,
        mut read: impl FnMut(&mut Self, Value<'a>) -> Result<(), NotJson>,
    ) -> Result<(), NotJson> {
        self.expect(b'{')?;
        if self.take_after_space(b'}') {
            return Ok(());
        }
        loop {
            self.skip_space();
            let key = self.key()?;
            self.skip_space();
            self.expect(b':')?;
            self.skip_space();
            read(self, key)?;
            if !self.take_after_space(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// Reads any value.
    // The slice is made where it is used: handed over in memory, as two words that are then read as
    // one, it would cost more than the scan.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'a>, NotJson> {
        let start = self.at;
        let escapes = self.skip_value(DEPTH_MAX)?;
        Ok(Value { json: &self.text[start..self.at], escapes })
    }

    /// Nothing but space is left.
    pub(crate) fn end(mut self) -> Result<(), NotJson> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(NotJson) }
    }

    pub(crate) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn key(&mut self) -> Result<Value<'a>, NotJson> {
        let start = self.at;
        let escapes = self.skip_string()?;
        Ok(Value { json: &self.text[start..self.at], escapes })
    }

    /// Returns the escapes of a string.
    fn skip_value(&mut self, depth: usize) -> Result<Escapes, NotJson> {
        match self.peek() {
            Some(b'"') => return self.skip_string(),
            Some(b'{') => self.skip_object(depth.checked_sub(1).ok_or(NotJson)?),
            Some(b'[') => self.skip_array(depth.checked_sub(1).ok_or(NotJson)?),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.number(),
        }?;
        Ok(Escapes::None)
    }

    fn skip_object(&mut self, depth: usize) -> Result<(), NotJson> {
        self.object(|reader, _| reader.skip_value(depth).map(drop))
    }

    fn skip_array(&mut self, depth: usize) -> Result<(), NotJson> {
        self.expect(b'[')?;
        if self.take_after_space(b']') {
            return Ok(());
        }
        loop {
            self.skip_space();
            self.skip_value(depth)?;
            if !self.take_after_space(b',') {
                return self.expect(b']');
            }
        }
    }

    /// Checks escapes, without decoding any.
    fn skip_string(&mut self) -> Result<Escapes, NotJson> {
        let mut escapes = Escapes::None;
        self.expect(b'"')?;
        loop {
            self.at += plain_bytes(&self.text.as_bytes()[self.at..]);
            match self.next() {
                Some(b'"') => return Ok(escapes),
                Some(b'\\') => escapes = escapes.max(self.escape()?),
                _ => return Err(NotJson),
            }
        }
    }

    #[inline]
    fn escape(&mut self) -> Result<Escapes, NotJson> {
        match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(Escapes::Characters),
            Some(b'u') => self.unicode_escape(),
            _ => Err(NotJson),
        }
    }

    /// Reads what follows `\u`; of a surrogate pair, both halves.
    fn unicode_escape(&mut self) -> Result<Escapes, NotJson> {
        const HIGH: RangeInclusive<u16> = 0xd800..=0xdbff;
        const LOW: RangeInclusive<u16> = 0xdc00..=0xdfff;
        let unit = self.code_unit()?;
        if !HIGH.contains(&unit) {
            let lone = LOW.contains(&unit);
            return Ok(if lone { Escapes::LoneSurrogate } else { Escapes::Characters });
        }
        let mut behind = self.clone();
        if !(behind.take(b'\\') && behind.take(b'u') && LOW.contains(&behind.code_unit()?)) {
            return Ok(Escapes::LoneSurrogate);
        }
        self.at = behind.at;
        Ok(Escapes::Characters)
    }

    fn code_unit(&mut self) -> Result<u16, NotJson> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(NotJson)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(NotJson)?;
            Ok(unit << 4 | digit as u16)
        })
    }

    fn number(&mut self) -> Result<(), NotJson> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(NotJson) }
    }

    fn literal(&mut self, literal: &str) -> Result<(), NotJson> {
        let found = self.text.as_bytes()[self.at..].starts_with(literal.as_bytes());
        self.at += literal.len();
        if found { Ok(()) } else { Err(NotJson) }
    }

    fn take_after_space(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.take(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.take(byte) { Ok(()) } else { Err(NotJson) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// The number of bytes before the next one that is special in a string.
fn plain_bytes(bytes: &[u8]) -> usize {
    // Keys end within two words. What goes on is looked at four words at a time: four times the
    // work for each branch.
    let (words, rest) = bytes.as_chunks::<8>();
    let (head, body) = words.split_at(words.len().min(2));
    if let Some(plain) = plain_in_words(head) {
        return plain;
    }
    let (blocks, _) = body.as_chunks::<4>();
    let plain_blocks = blocks.iter().take_while(|block| is_plain_block(block)).count();
    let passed = head.len() + 4 * plain_blocks;
    let in_words = plain_in_words(&words[passed..]);
    let in_rest = || rest.iter().position(|&byte| !is_plain(byte)).unwrap_or(rest.len());
    in_words.map_or_else(|| 8 * words.len() + in_rest(), |plain| 8 * passed + plain)
}

/// The number of plain bytes before one that is not. `None` if all are plain.
fn plain_in_words(words: &[[u8; 8]]) -> Option<usize> {
    words.iter().enumerate().find_map(|(at, word)| {
        let marks = marks(u64::from_le_bytes(*word));
        (marks != 0).then(|| 8 * at + marks.trailing_zeros() as usize / 8)
    })
}

fn is_plain_block(block: &[[u8; 8]; 4]) -> bool {
    block.iter().fold(0, |all, word| all | marks(u64::from_le_bytes(*word))) == 0
}

const fn is_plain(byte: u8) -> bool {
    (byte >= 0x20) & (byte != b'"') & (byte != b'\\')
}

/// A word whose lowest bit is in the first byte that is not plain. Above that byte it may err, as
/// the subtractions carry.
const fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES * 0x80;
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quotes.wrapping_sub(ONES) & !quotes;
    let backslash = backslashes.wrapping_sub(ONES) & !backslashes;
    (control | quote | backslash) & HIGH
}

#[cfg(test)]
mod tests;
