//! The keyboard of a terminal: lines are edited at its lower end, and its modes are restored
//! afterwards.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use console::Term;
use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use super::drawing::{Drawing, columns};
use super::editor::{Editor, PROMPT, Typed};
use crate::terminal::sanitize::sanitized;

/// The interval at which a background program checks whether it is in the foreground again.
const FOREGROUND_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// The modes of the terminal before the first key was read.
static FOUND: OnceLock<Termios> = OnceLock::new();

/// Returns true if lines can be edited: both input and screen are terminals that support it.
pub(super) fn can_edit() -> bool {
    let is_plain = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdin().is_terminal() && io::stderr().is_terminal() && !is_plain
}

/// Restores the modes of the terminal, unless a shell controls it already.
pub(super) fn restore_modes() {
    if let Some(found) = FOUND.get().filter(|_| is_in_foreground()) {
        // An error means that the terminal is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Now, found);
    }
}

/// Waits until the program is in the foreground: reading the terminal in the background would stop
/// it.
pub(super) fn wait_for_foreground(note: impl Fn(&str)) {
    if !io::stdin().is_terminal() || is_in_foreground() {
        return;
    }
    note(IN_BACKGROUND);
    while !is_in_foreground() {
        thread::sleep(FOREGROUND_CHECK_INTERVAL);
    }
}

const IN_BACKGROUND: &str = "input is paused in the background: continue with the shell's fg \
                             command. Everything that needs no input goes on";

fn is_in_foreground() -> bool {
    // An error means that there is no job control, so no other program has the terminal.
    tcgetpgrp(stdin()).map_or(true, |foreground| foreground == getpgrp())
}

/// Reads lines until the end of the input, or until `take` returns false.
///
/// # Errors
/// The terminal cannot be read.
pub(super) fn read_lines(
    drawing: &Drawing,
    mut take: impl FnMut(String) -> bool,
) -> io::Result<()> {
    let (terminal, mut editor) = (Term::stderr(), Editor::default());
    loop {
        prepare(drawing)?;
        drawing.show_typed(editor.view(columns()));
        let key = match terminal.read_key() {
            Ok(key) => key,
            // Ctrl-C is handled as SIGINT. Reading goes on, so that a second one is received too.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // The terminal was closed, so no more keys can come.
            Err(_) => return Ok(()),
        };
        match editor.press(&key) {
            Typed::Edited => {}
            Typed::End => return Ok(()),
            Typed::Suspend => suspend(drawing),
            Typed::Line(line) => {
                if !line.is_empty() {
                    print(drawing, &format!("{PROMPT}{line}"));
                }
                drawing.show_typed(editor.view(columns()));
                if !take(line) {
                    return Ok(());
                }
            }
        }
    }
}

/// Turns off echo and line editing of the terminal. Checked before each key, because a shell may
/// restore them.
fn prepare(drawing: &Drawing) -> io::Result<()> {
    if !is_in_foreground() {
        drawing.hide_typed();
        wait_for_foreground(|text| print(drawing, text));
    }
    let mut modes = tcgetattr(stdin())?;
    FOUND.get_or_init(|| modes.clone());
    if modes.local_modes.intersects(LocalModes::ECHO | LocalModes::ICANON) {
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        tcsetattr(stdin(), OptionalActions::Now, &modes)?;
    }
    Ok(())
}

/// Stops the program as Ctrl-Z does, until `fg`.
fn suspend(drawing: &Drawing) {
    drawing.hide_typed();
    restore_modes();
    // If the signal cannot be sent, the program just continues.
    let _ = kill_current_process_group(Signal::TSTP);
}

/// Prints a line above the bars and the input line.
pub(super) fn print(drawing: &Drawing, text: &str) {
    // A failed write to the terminal cannot be reported anywhere.
    let _ = drawing.suspended(|| writeln!(io::stderr(), "{}", sanitized(text)));
}
