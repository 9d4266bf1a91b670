//! Lines of standard input, read by a thread of its own because reading blocks.

use std::io::{self, BufRead, IsTerminal as _, Read as _};
use std::mem;
use std::thread;

use tokio::sync::mpsc;

use super::drawing::Drawing;
use super::keyboard;
pub(crate) use super::line::Line;

/// The bound of the queue of lines, for when the network is slow.
const PENDING_LINES_MAX: usize = 16;
/// The longest piece of a line. A longer line is sent in pieces.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// The queue of input lines.
pub(crate) struct Input {
    lines: mpsc::Receiver<io::Result<Line>>,
    is_terminal: bool,
    ended: bool,
}

/// Returns true if standard input is a terminal, so that a person can be asked.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

impl Input {
    /// Starts the reader. Lines that begin with a slash are commands at a terminal, and elsewhere
    /// if `commands` is set.
    pub(super) fn start(commands: bool, drawing: Drawing) -> Self {
        let (sender, lines) = mpsc::channel(PENDING_LINES_MAX);
        let commands = commands || is_terminal();
        thread::spawn(move || {
            // A closed queue means that the conversation is over: the reader ends.
            let take = |line: io::Result<Line>| sender.blocking_send(line).is_ok();
            let read = if keyboard::can_edit() {
                keyboard::read_lines(&drawing, |line| take(Ok(Line::parse(&line))))
            } else {
                read_pieces(commands, &drawing, |line| take(Ok(line)))
            };
            read.err().map(|error| take(Err(error)));
        });
        Self { lines, is_terminal: is_terminal(), ended: false }
    }

    pub(crate) const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Returns the next line, or `None` after the last one. Cancel safe.
    ///
    /// # Errors
    /// Standard input cannot be read.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Line>> {
        let line = self.lines.recv().await;
        self.ended |= line.is_none();
        line
    }

    /// Waits for a yes or a no. Returns `None` for any other line; the end of the input is a no.
    /// Cancel safe.
    ///
    /// # Errors
    /// Standard input cannot be read.
    pub(crate) async fn answer(&mut self) -> io::Result<Option<bool>> {
        match self.next().await.transpose()? {
            Some(line) => Ok(yes_or_no(&line)),
            None => Ok(Some(false)),
        }
    }

    /// Discards the lines that were typed before the question.
    pub(crate) fn discard_pending(&mut self) {
        while self.lines.try_recv().is_ok() {}
    }
}

/// Reads until the end of the input, or until `take` returns false.
fn read_pieces(
    commands: bool,
    drawing: &Drawing,
    mut take: impl FnMut(Line) -> bool,
) -> io::Result<()> {
    let mut pieces = Pieces::of(io::stdin().lock(), commands);
    loop {
        keyboard::wait_for_foreground(|text| keyboard::print(drawing, text));
        let Some(line) = pieces.next()? else { return Ok(()) };
        if !take(line) {
            return Ok(());
        }
    }
}

/// Parses a yes or a no. Returns `None` for any other line.
fn yes_or_no(line: &Line) -> Option<bool> {
    let is =
        |words: [&str; 2], text: &str| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match line {
        Line::Text(text) if is(["y", "yes"], text.trim()) => Some(true),
        Line::Text(text) if is(["n", "no"], text.trim()) => Some(false),
        Line::Quit => Some(false),
        _ => None,
    }
}

/// Splits a reader into lines, and long lines into pieces.
struct Pieces<R> {
    reader: R,
    commands: bool,
    /// The first bytes of a character that was cut at the end of a piece.
    cut: Vec<u8>,
    within_line: bool,
}

impl<R: BufRead> Pieces<R> {
    const fn of(reader: R, commands: bool) -> Self {
        Self { reader, commands, cut: Vec::new(), within_line: false }
    }

    /// Returns the next line or piece. Bytes that are not UTF-8 become U+FFFD.
    fn next(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = mem::take(&mut self.cut);
        let room = PIECE_BYTES_MAX.saturating_sub(bytes.len()) as u64;
        if self.reader.by_ref().take(room).read_until(b'\n', &mut bytes)? == 0 && bytes.is_empty() {
            return Ok(None);
        }
        let ends = bytes.ends_with(b"\n");
        if !ends && bytes.len() >= PIECE_BYTES_MAX {
            self.cut = bytes.split_off(bytes.len() - unfinished(&bytes));
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_suffix('\n').map_or(&*text, |line| line.trim_end_matches('\r'));
        let begins = !mem::replace(&mut self.within_line, !ends);
        let line = match (begins, self.commands) {
            (true, true) => Line::parse(text),
            (true, false) => Line::Text(text.to_owned()),
            (false, _) => Line::text(text),
        };
        Ok(Some(line))
    }
}

/// Returns the number of bytes at the end that may begin a character.
fn unfinished(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let mut pieces = Pieces::of(bytes, true);
        std::iter::from_fn(|| pieces.next().unwrap()).collect()
    }

    #[test]
    fn lines_of_a_script_are_sent_unchanged() {
        let mut pieces = Pieces::of(&b"/quit\n\n//\n"[..], false);
        let said: Vec<_> = std::iter::from_fn(|| pieces.next().unwrap()).collect();
        assert_eq!(said, [say("/quit"), say(""), say("//")]);
    }

    #[test]
    fn lines_typed_before_a_question_do_not_answer_it() {
        let (sender, lines) = mpsc::channel(PENDING_LINES_MAX);
        let mut input = Input { lines, is_terminal: true, ended: false };
        sender.try_send(Ok(say("y"))).unwrap();
        input.discard_pending();
        sender.try_send(Ok(say("n"))).unwrap();
        assert!(matches!(input.lines.try_recv(), Ok(Ok(line)) if line == say("n")));
    }

    #[test]
    fn a_question_takes_yes_or_no_and_nothing_else() {
        for (line, answer) in
            [("y", Some(true)), (" YES ", Some(true)), ("n", Some(false)), ("no", Some(false))]
        {
            assert_eq!(yes_or_no(&say(line)), answer, "{line}");
        }
        assert_eq!(yes_or_no(&Line::Quit), Some(false));
        for line in [say("yesterday"), say("what?"), Line::Nothing, Line::Help] {
            assert_eq!(yes_or_no(&line), None, "{line:?}");
        }
    }

    fn say(text: &str) -> Line {
        Line::Text(text.to_owned())
    }

    #[test]
    fn a_line_ends_as_any_system_ends_it_or_with_the_input() {
        assert_eq!(
            lines(b"one\ntwo\r\n\nfour"),
            [say("one"), say("two"), Line::Nothing, say("four")]
        );
    }

    #[test]
    fn invalid_utf_8_is_sent_with_replacement_characters() {
        assert_eq!(
            lines(b"caf\xe9\nth\xc3\xa9\n\xc3"),
            [say("caf\u{fffd}"), say("thé"), say("\u{fffd}")]
        );
    }

    #[test]
    fn a_long_line_is_sent_in_pieces_and_contains_no_command() {
        let text = "a".to_owned() + &"é".repeat(PIECE_BYTES_MAX - 1) + "/quit";
        let pieces = lines(format!("{text}\n/quit\n").as_bytes());
        let (last, said) = pieces.split_last().unwrap();
        assert_eq!(*last, Line::Quit);
        let said: Vec<_> = said
            .iter()
            .map(|line| match line {
                Line::Text(piece) => piece.as_str(),
                other => panic!("{other:?} is in the line"),
            })
            .collect();
        assert_eq!(said.concat(), text);
        assert!(said.len() > 1 && said.iter().all(|piece| piece.len() <= PIECE_BYTES_MAX));
    }
}
