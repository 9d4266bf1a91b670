//! Lines of standard input. A thread, because reading them blocks.

use std::io::{self, BufRead, IsTerminal as _, Read as _};
use std::mem;
use std::path::PathBuf;
use std::thread;

use tokio::sync::mpsc;

/// Lines that wait while the network is slow.
const LINES_WAITING_MAX: usize = 16;
/// Bytes of a line that are taken at once. A longer one is said in pieces.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// What somebody types.
pub(crate) struct Input {
    lines: mpsc::Receiver<io::Result<Line>>,
    is_terminal: bool,
    ended: bool,
}

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Say(String),
    Send(PathBuf),
    Quit,
    Help,
    Nothing,
}

/// Whether a person can be asked.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

impl Input {
    /// Starts reading. At a terminal a line may be a command; elsewhere it is what it is, unless
    /// `commands` says otherwise.
    pub(crate) fn start(commands: bool) -> Self {
        let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
        let commands = commands || is_terminal();
        thread::spawn(move || {
            let mut pieces = Pieces::of(io::stdin().lock(), commands);
            while let Some(line) = pieces.next().transpose() {
                let failed = line.is_err();
                if sender.blocking_send(line).is_err() || failed {
                    return;
                }
            }
        });
        Self { lines, is_terminal: is_terminal(), ended: false }
    }

    pub(crate) const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next line. `None`: that was the last. Cancel safe.
    ///
    /// # Errors
    /// Standard input cannot be read.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Line>> {
        let line = self.lines.recv().await;
        self.ended |= line.is_none();
        line
    }

    /// Forgets what was typed before it was asked for.
    pub(crate) fn forget_what_waits(&mut self) {
        while self.lines.try_recv().is_ok() {}
    }
}

/// Lines of a reader, or pieces of lines that are long.
struct Pieces<R> {
    reader: R,
    commands: bool,
    /// The beginning of a character that was cut in two.
    cut: Vec<u8>,
    within_line: bool,
}

impl<R: BufRead> Pieces<R> {
    const fn of(reader: R, commands: bool) -> Self {
        Self { reader, commands, cut: Vec::new(), within_line: false }
    }

    /// What is not UTF-8 is said with U+FFFD in its place.
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
            (true, false) => Line::Say(text.to_owned()),
            (false, _) => Line::said(text),
        };
        Ok(Some(line))
    }
}

/// How many bytes at the end may be the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len())
}

impl Line {
    /// Reads a line: what begins with a slash is a command, two slashes are one that is said.
    fn parse(line: &str) -> Self {
        let Some(command) = line.strip_prefix('/') else { return Self::said(line) };
        match command.split_once(' ').unwrap_or((command, "")) {
            ("quit", "") => Self::Quit,
            ("send", path) if !path.trim().is_empty() => Self::Send(path.trim().into()),
            _ if command.starts_with('/') => Self::said(command),
            _ => Self::Help,
        }
    }

    fn said(text: &str) -> Self {
        if text.is_empty() { Self::Nothing } else { Self::Say(text.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_said_and_commands_done() {
        assert_eq!(Line::parse("hello /quit"), Line::Say("hello /quit".to_owned()));
        assert_eq!(Line::parse("/quit"), Line::Quit);
        assert_eq!(Line::parse("/send  my file.txt "), Line::Send("my file.txt".into()));
        assert_eq!(Line::parse("//etc/passwd"), Line::Say("/etc/passwd".to_owned()));
        assert_eq!(Line::parse(""), Line::Nothing);
        for line in ["/send", "/help", "/quit now", "/"] {
            assert_eq!(Line::parse(line), Line::Help, "{line}");
        }
    }

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let mut pieces = Pieces::of(bytes, true);
        std::iter::from_fn(|| pieces.next().unwrap()).collect()
    }

    #[test]
    fn lines_of_a_script_are_said_as_they_are() {
        let mut pieces = Pieces::of(&b"/quit\n\n//\n"[..], false);
        let said: Vec<_> = std::iter::from_fn(|| pieces.next().unwrap()).collect();
        assert_eq!(said, [say("/quit"), say(""), say("//")]);
    }

    #[test]
    fn what_was_typed_before_a_question_is_no_answer_to_it() {
        let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
        let mut input = Input { lines, is_terminal: true, ended: false };
        sender.try_send(Ok(say("y"))).unwrap();
        input.forget_what_waits();
        sender.try_send(Ok(say("n"))).unwrap();
        assert!(matches!(input.lines.try_recv(), Ok(Ok(line)) if line == say("n")));
    }

    fn say(text: &str) -> Line {
        Line::Say(text.to_owned())
    }

    #[test]
    fn a_line_ends_as_any_system_ends_it_or_with_the_input() {
        assert_eq!(
            lines(b"one\ntwo\r\n\nfour"),
            [say("one"), say("two"), Line::Nothing, say("four")]
        );
    }

    #[test]
    fn what_is_not_utf_8_is_said_as_far_as_it_can_be() {
        assert_eq!(
            lines(b"caf\xe9\nth\xc3\xa9\n\xc3"),
            [say("caf\u{fffd}"), say("thé"), say("\u{fffd}")]
        );
    }

    #[test]
    fn a_long_line_is_said_in_pieces_and_holds_no_command() {
        let text = "a".to_owned() + &"é".repeat(PIECE_BYTES_MAX - 1) + "/quit";
        let pieces = lines(format!("{text}\n/quit\n").as_bytes());
        let (last, said) = pieces.split_last().unwrap();
        assert_eq!(*last, Line::Quit);
        let said: Vec<_> = said
            .iter()
            .map(|line| match line {
                Line::Say(piece) => piece.as_str(),
                other => panic!("{other:?} is in the line"),
            })
            .collect();
        assert_eq!(said.concat(), text);
        assert!(said.len() > 1 && said.iter().all(|piece| piece.len() <= PIECE_BYTES_MAX));
    }
}
