//! What the person sees: what the other one says on standard output, all else on standard error.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use securecall_peer::{Direction, FileProgress};

use crate::harmless::harmless;

/// The two streams, and a bar for a file that is under way.
pub(crate) struct Screen {
    /// Draws the bars below one another, on a terminal alone.
    drawing: MultiProgress,
    /// One for each direction.
    bars: Mutex<[Option<ProgressBar>; 2]>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { drawing: MultiProgress::new(), bars: Mutex::new([None, None]) }
    }

    /// Something that the other one said.
    ///
    /// # Errors
    /// Standard output is closed or full: nobody hears it.
    pub(crate) fn said(&self, who: &str, text: &str) -> io::Result<()> {
        self.undisturbed(|| writeln!(io::stdout(), "{who}: {}", harmless(text)))
    }

    /// Something about the call.
    pub(crate) fn note(&self, text: &str) {
        self.undisturbed(|| {
            let _ = writeln!(io::stderr(), "{}", harmless(text));
        });
    }

    /// Something that must not be overlooked.
    pub(crate) fn warn(&self, lines: &[&str]) {
        const RULE: &str =
            "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!";
        self.note(RULE);
        lines.iter().for_each(|line| self.note(&format!("!!  {line}")));
        self.note(RULE);
    }

    pub(crate) fn progress(&self, progress: &FileProgress) {
        self.with_bar(progress.direction, |slot| {
            let bar = slot.get_or_insert_with(|| self.drawing.add(new_bar(progress)));
            bar.set_position(progress.bytes);
        });
    }

    pub(crate) fn received(&self, path: &Path) {
        self.take_away(Direction::Incoming);
        self.note(&format!("received {}", path.display()));
    }

    /// A file is with the other end, which may have given it another name.
    pub(crate) fn sent(&self, name: &str, received_as: Option<&str>) {
        self.take_away(Direction::Outgoing);
        let there = received_as.map(|name| format!(" (there it is {name})")).unwrap_or_default();
        self.note(&format!("sent {name}{there}"));
    }

    pub(crate) fn failed(&self, direction: Direction, name: &str, why: &str) {
        self.take_away(direction);
        let what = match direction {
            Direction::Incoming => "not received",
            Direction::Outgoing => "not sent",
        };
        self.note(&format!("{what}: {name}: {why}"));
    }

    fn take_away(&self, direction: Direction) {
        self.with_bar(direction, |slot| {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
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

    /// Writes while no bar is drawn.
    fn undisturbed<T>(&self, write: impl FnOnce() -> T) -> T {
        self.drawing.suspend(write)
    }
}

fn new_bar(progress: &FileProgress) -> ProgressBar {
    let bar = ProgressBar::new(progress.bytes_total);
    const TEMPLATE: &str = "{msg:20!} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    // The template is a constant; without it there is a plainer bar.
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.set_message(harmless(&progress.name));
    bar
}
