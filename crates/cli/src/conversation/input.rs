//! Lines of standard input. A thread, because reading them blocks.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::thread;

use tokio::sync::mpsc;

/// Lines that wait while the network is slow.
const LINES_WAITING_MAX: usize = 16;

/// What somebody types.
pub(crate) struct Input {
    lines: mpsc::Receiver<String>,
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

impl Input {
    /// Starts reading.
    pub(crate) fn start() -> Self {
        let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
        thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, is_terminal: io::stdin().is_terminal(), ended: false }
    }

    /// Whether a person can be asked.
    pub(crate) const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next line. `None`: that was the last.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let line = self.lines.recv().await;
        self.ended |= line.is_none();
        line
    }
}

impl Line {
    /// Reads a line: what begins with a slash is a command, two slashes are one that is said.
    pub(crate) fn parse(line: &str) -> Self {
        let Some(command) = line.strip_prefix('/') else {
            return if line.is_empty() { Self::Nothing } else { Self::Say(line.to_owned()) };
        };
        match command.split_once(' ').unwrap_or((command, "")) {
            ("quit", "") => Self::Quit,
            ("send", path) if !path.trim().is_empty() => Self::Send(path.trim().into()),
            _ if command.starts_with('/') => Self::Say(command.to_owned()),
            _ => Self::Help,
        }
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
}
