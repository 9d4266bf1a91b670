//! JSON, read where it stands: one pass over a text, each value a slice of it.
//!
//! A message is two levels of objects whose fields matter, and strings. Everything else is checked
//! against the grammar (RFC 8259) and passed over. What counts as JSON is what serde_json takes
//! for a raw value, which a property test holds this reader to; but for nesting, see
//! [`DEPTH_MAX`]. Why it is a reader of our own: docs/decisions/0015.

use std::borrow::Cow;

/// How deep values may nest. No message of ours goes below 4, and a reader without a bound would
/// be a stack without one.
const DEPTH_MAX: usize = 128;

/// The text is not the JSON that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

/// A value as it stands in the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    /// Its JSON.
    pub(crate) json: &'a str,
    /// It is a string in which something is escaped.
    escaped: bool,
}

impl<'a> Value<'a> {
    /// What a string stands for. None: it is no text, since half a surrogate pair is in it; or it
    /// is no string.
    #[inline]
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        if self.escaped {
            serde_json::from_str(self.json).ok().map(Cow::Owned)
        } else {
            self.json.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
        }
    }
}

/// A place in a text.
#[derive(Debug, Clone)]
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
        let escaped = self.skip_value(DEPTH_MAX)?;
        Ok(Value { json: &self.text[start..self.at], escaped })
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
        let escaped = self.skip_string()?;
        Ok(Value { json: &self.text[start..self.at], escaped })
    }

    /// Returns whether it is a string with escapes.
    fn skip_value(&mut self, depth: usize) -> Result<bool, NotJson> {
        match self.peek() {
            Some(b'"') => return self.skip_string(),
            Some(b'{') => self.skip_object(depth.checked_sub(1).ok_or(NotJson)?),
            Some(b'[') => self.skip_array(depth.checked_sub(1).ok_or(NotJson)?),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.number(),
        }?;
        Ok(false)
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

    /// Escapes are checked, not undone. Returns whether there are any.
    fn skip_string(&mut self) -> Result<bool, NotJson> {
        let mut escaped = false;
        self.expect(b'"')?;
        loop {
            self.at += plain_bytes(&self.text.as_bytes()[self.at..]);
            match self.next() {
                Some(b'"') => return Ok(escaped),
                Some(b'\\') => self.escape()?,
                _ => return Err(NotJson),
            }
            escaped = true;
        }
    }

    fn escape(&mut self) -> Result<(), NotJson> {
        match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => {
                let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(NotJson)?;
                self.at += 4;
                if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(NotJson) }
            }
            _ => Err(NotJson),
        }
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

/// How many bytes there are before the next that means something within a string.
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

/// How many plain bytes there are before one that is not; None when all are plain.
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
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn read(text: &str) -> Result<&str, NotJson> {
        let mut reader = Reader::new(text);
        reader.skip_space();
        let value = reader.value()?;
        reader.end()?;
        Ok(value.json)
    }

    fn agrees_with_serde_json(text: &str) {
        let theirs: Option<&RawValue> = serde_json::from_str(text).ok();
        assert_eq!(read(text).ok(), theirs.map(RawValue::get), "{text:?}");
    }

    #[test]
    fn every_byte_of_a_string_counts_wherever_it_stands() {
        for length in 0..100 {
            for at in 0..length {
                for special in ["\"", "\\", "\u{1f}", "\n", "\\u12", "\\u123g", "ä", "\u{7f}", " "]
                {
                    let text =
                        format!("\"{}{special}{}\"", "a".repeat(at), "b".repeat(length - at));
                    agrees_with_serde_json(&text);
                }
            }
        }
    }

    #[test]
    fn the_corners_of_the_grammar_are_where_serde_json_has_them() {
        for text in [
            "",
            " ",
            "{}",
            "{ }",
            "[ ]",
            "[,]",
            "[1,]",
            "{,}",
            "{\"a\":1,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "0",
            "-0",
            "-",
            "01",
            "1.",
            ".1",
            "1.5",
            "1e",
            "1e5",
            "1E+5",
            "1e-",
            "+1",
            "1e5.2",
            "--1",
            "0x1",
            "true",
            "tru",
            "truee",
            "null ",
            "nul",
            "false",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"a",
            "\"",
            "[1 2]",
            "{\"a\" : [ 1 , { } ] }",
            "[[[]]",
            "[]]",
            "{\"a\":1 \"b\":2}",
            "\u{feff}{}",
            "1 2",
            "NaN",
            "\t\r\n1",
            "\u{b}1",
            "'a'",
            "/**/1",
        ] {
            agrees_with_serde_json(text);
        }
    }

    #[test]
    fn values_nest_so_deep_and_no_deeper() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert!(read(&nested(DEPTH_MAX + 1)).is_err());
        assert!(read(&"[".repeat(1 << 20)).is_err());
        assert!(read(&"{\"\":".repeat(1 << 20)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn what_is_json_is_serde_jsons_word(
            text in "[ \\[\\]{}\",:\\\\truefalsn0-9.eE+\\-u\u{1}\u{7f}äé😀\n]{0,40}"
        ) {
            agrees_with_serde_json(&text);
        }

        #[test]
        fn what_serde_json_writes_is_read_with_one_byte_wrong_too(
            keys in prop::collection::vec(".{0,40}", 0..5), at in 0usize..200, byte in 0u8..0x80,
        ) {
            let object: serde_json::Map<_, _> =
                keys.iter().map(|key| (key.clone(), serde_json::json!([key, {"n": -1.5e3}, null]))).collect();
            let text = serde_json::to_string_pretty(&object).unwrap();
            agrees_with_serde_json(&text);
            let mut bytes = text.into_bytes();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            if let Ok(text) = String::from_utf8(bytes) {
                agrees_with_serde_json(&text);
            }
        }
    }
}
