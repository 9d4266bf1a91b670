//! The output for the user: received text on standard output, everything else on standard error.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;

use indicatif::ProgressBar;
use securecall_peer::{Direction, Event, FileError, FileProgress, Refusal};

use super::drawing::Drawing;
use super::output::Output;
use crate::failure::Failure;
use crate::terminal::sanitize::sanitized;

/// The two streams, and the progress bars of files.
pub(crate) struct Screen {
    drawing: Drawing,
    output: Output,
    /// One bar for each direction.
    bars: Mutex<[Option<ProgressBar>; 2]>,
}

impl Screen {
    pub(crate) fn new() -> Result<Self, Failure> {
        let drawing = Drawing::new();
        let output = Output::start(drawing.clone()).map_err(Failure::Output)?;
        Ok(Self { drawing, output, bars: Mutex::new([None, None]) })
    }

    /// Returns the drawing, for the input line.
    pub(super) fn drawing(&self) -> Drawing {
        self.drawing.clone()
    }

    /// Removes everything drawn, so that the terminal can be restored.
    pub(super) fn leave(&self) {
        for direction in [Direction::Incoming, Direction::Outgoing] {
            self.remove_bar(direction);
        }
        self.drawing.hide_typed();
    }

    /// Waits for room for the next received text. Cancel safe.
    pub(crate) async fn room(&self) {
        self.output.room().await;
    }

    /// Waits until all received text is written.
    ///
    /// # Errors
    /// As [`Screen::show_text`].
    pub(crate) async fn flush(&self) -> io::Result<()> {
        self.output.flush().await
    }

    /// Waits until standard output fails, and returns the error. Cancel safe.
    pub(crate) async fn output_failed(&self) -> io::Error {
        self.output.failed().await
    }

    /// Shows an event of the peer connection to `who`. The caller has waited for
    /// [room](Self::room).
    ///
    /// # Errors
    /// As [`Screen::show_text`].
    pub(crate) fn show(&self, who: &str, event: &Event) -> io::Result<()> {
        match event {
            Event::Text(text) => return self.show_text(who, text),
            Event::FileProgress(progress) if has_bar(progress) => self.progress(progress),
            Event::FileReceived { path } => self.received(path),
            Event::FileSent { name, received_as } => self.sent(name, received_as.as_deref()),
            Event::FileFailed { direction, name, error } => self.failed(*direction, name, error),
            _ => {}
        }
        Ok(())
    }

    /// Prints a received text.
    ///
    /// # Errors
    /// Standard output is closed or full.
    fn show_text(&self, who: &str, text: &str) -> io::Result<()> {
        self.output.take(format!("{who}: {}", sanitized(text)))
    }

    /// Prints a line about the call.
    pub(crate) fn note(&self, text: &str) {
        self.suspended(|| {
            let _ = writeln!(io::stderr(), "{}", sanitized(text));
        });
    }

    /// Prints a warning that must not be overlooked.
    pub(crate) fn warn(&self, lines: &[&str]) {
        const RULE: &str =
            "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!";
        self.note(RULE);
        lines.iter().for_each(|line| self.note(&format!("!!  {line}")));
        self.note(RULE);
    }

    fn progress(&self, progress: &FileProgress) {
        self.with_bar(progress.direction, |slot| {
            let bar = slot.get_or_insert_with(|| {
                self.drawing.add_bar(progress.bytes_total, sanitized(&progress.name))
            });
            self.drawing.advance(bar, progress.bytes);
        });
    }

    fn received(&self, path: &Path) {
        self.remove_bar(Direction::Incoming);
        self.note(&format!("received {}", path.display()));
    }

    /// Reports a sent file, and the name that the other end gave it.
    fn sent(&self, name: &str, received_as: Option<&str>) {
        self.remove_bar(Direction::Outgoing);
        let there = received_as.map(|name| format!(" (there it is {name})")).unwrap_or_default();
        self.note(&format!("sent {name}{there}"));
    }

    fn failed(&self, direction: Direction, name: &str, why: &FileError) {
        self.remove_bar(direction);
        let what = match direction {
            Direction::Incoming => "not received",
            Direction::Outgoing => "not sent",
        };
        let hint = match (direction, why) {
            (Direction::Incoming, FileError::Refused(Refusal::NotAccepted)) => {
                " (--receive-into FOLDER takes them)"
            }
            (Direction::Incoming, FileError::Refused(Refusal::Full)) => {
                " (see --files-bytes-max and --files-max)"
            }
            _ => "",
        };
        self.note(&format!("{what}: {name}: {why}{hint}"));
    }

    fn remove_bar(&self, direction: Direction) {
        self.with_bar(direction, |slot| {
            if let Some(bar) = slot.take() {
                self.drawing.remove_bar(&bar);
            }
        });
    }

    fn with_bar(&self, direction: Direction, act: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(mut bars) = self.bars.lock() {
            let [incoming, outgoing] = &mut *bars;
            act(match direction {
                Direction::Incoming => incoming,
                Direction::Outgoing => outgoing,
            });
        }
    }

    /// Writes while nothing is drawn.
    fn suspended<T>(&self, write: impl FnOnce() -> T) -> T {
        self.drawing.suspended(write)
    }
}

/// Returns true if a bar is to show this progress. A full bar would suggest that a file was
/// delivered while its receiver may still refuse it.
fn has_bar(progress: &FileProgress) -> bool {
    progress.direction == Direction::Incoming || progress.bytes < progress.bytes_total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sent_file_shows_no_full_bar_before_it_is_delivered() {
        let progress = |direction, bytes| FileProgress {
            direction,
            name: "a".to_owned(),
            bytes,
            bytes_total: 10,
        };
        assert!(has_bar(&progress(Direction::Outgoing, 9)));
        assert!(!has_bar(&progress(Direction::Outgoing, 10)));
        assert!(has_bar(&progress(Direction::Incoming, 10)));
    }
}
