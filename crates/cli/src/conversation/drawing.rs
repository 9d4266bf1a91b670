//! The lower end of a terminal: the progress bars of files, and below them the input line. All
//! other output scrolls above both.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::editor::View;

/// Draws on standard error, if it is a terminal.
#[derive(Clone)]
pub(super) struct Drawing {
    bars: MultiProgress,
    typed: Arc<Mutex<Option<TypedLine>>>,
}

/// The input line, drawn as the last of the bars.
struct TypedLine {
    bar: ProgressBar,
    cursor: usize,
}

impl TypedLine {
    /// Moves the cursor from the end of the drawing into the input line.
    fn place_cursor(&self) {
        // A failed write to the terminal cannot be reported anywhere.
        let _ = write!(io::stderr(), "\r\x1b[{}C", self.cursor);
    }
}

impl Drawing {
    pub(super) fn new() -> Self {
        Self { bars: MultiProgress::new(), typed: Arc::default() }
    }

    /// Runs `write` while nothing is drawn.
    pub(super) fn suspended<T>(&self, write: impl FnOnce() -> T) -> T {
        self.drawn(|_| self.bars.suspend(write))
    }

    /// Adds a bar above the input line. It becomes visible with its first position.
    pub(super) fn add_bar(&self, bytes_total: u64, name: String) -> ProgressBar {
        // Hidden until it is complete, so that its first frame contains all bars.
        let bar = ProgressBar::with_draw_target(Some(bytes_total), ProgressDrawTarget::hidden());
        const TEMPLATE: &str = "{msg:20!} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        // The template is constant and valid; the default style would do as well.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_message(name);
        self.drawn(|typed| match typed {
            Some(typed) => self.bars.insert_before(&typed.bar, bar),
            None => self.bars.add(bar),
        })
    }

    pub(super) fn advance(&self, bar: &ProgressBar, bytes: u64) {
        self.drawn(|_| bar.set_position(bytes));
    }

    pub(super) fn remove_bar(&self, bar: &ProgressBar) {
        self.drawn(|_| {
            bar.finish_and_clear();
            self.bars.remove(bar);
        });
    }

    /// Shows the input line.
    pub(super) fn show_typed(&self, view: View) {
        self.drawn(|typed| {
            let typed = typed.get_or_insert_with(|| self.new_typed_line());
            typed.cursor = view.cursor;
            typed.bar.set_message(view.text);
            // Bypasses the draw rate limit, so that each key is visible at once.
            typed.bar.force_draw();
        });
    }

    /// Removes the input line.
    pub(super) fn hide_typed(&self) {
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(TypedLine { bar, .. }) = typed.take() {
            bar.finish_and_clear();
            self.bars.remove(&bar);
            let _ = write!(io::stderr(), "\r");
        }
    }

    fn new_typed_line(&self) -> TypedLine {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        TypedLine { bar: self.bars.add(bar), cursor: 0 }
    }

    /// Draws, one thread at a time, and puts the cursor back into the input line.
    fn drawn<T>(&self, draw: impl FnOnce(&mut Option<TypedLine>) -> T) -> T {
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        let result = draw(&mut typed);
        typed.as_ref().into_iter().for_each(TypedLine::place_cursor);
        result
    }
}

/// Returns the width of the terminal.
pub(super) fn columns() -> usize {
    Term::stderr().size().1.into()
}
