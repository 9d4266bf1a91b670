//! The keyboard of a person: lines are edited at the lower end of the terminal, and the terminal is
//! left as it was found.

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
use crate::terminal::harmless::harmless;

/// The interval at which a program in the background looks whether it is in the foreground again.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The modes of the terminal before the first key was read.
static FOUND: OnceLock<Termios> = OnceLock::new();

/// Returns whether lines can be edited: a person types here, and sees what is drawn.
pub(super) fn can_edit() -> bool {
    let is_plain = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdin().is_terminal() && io::stderr().is_terminal() && !is_plain
}

/// Gives the terminal back as it was found. A shell that has it already keeps it.
pub(super) fn give_back() {
    if let Some(found) = FOUND.get().filter(|_| is_in_foreground()) {
        // An error: the terminal is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Now, found);
    }
}

/// Waits until the terminal may be read: reading it in the background would stop the program.
pub(super) fn wait_for_foreground(note: impl Fn(&str)) {
    if !io::stdin().is_terminal() || is_in_foreground() {
        return;
    }
    note(IN_BACKGROUND);
    while !is_in_foreground() {
        thread::sleep(LOOK_EVERY);
    }
}

const IN_BACKGROUND: &str = "in the background nobody can type here: the shell's fg command goes on. What needs no answer \
     goes on meanwhile";

fn is_in_foreground() -> bool {
    // An error: there is no job control, and nobody else has the terminal.
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
            // Ctrl-C, which was raised as SIGINT; a second one must be heard, too.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // Nobody types here any more: the terminal was closed.
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

/// Turns echo off, and lines of the terminal's own, also between two keys.
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

/// Ctrl-Z: the shell goes on until `fg`.
fn suspend(drawing: &Drawing) {
    drawing.hide_typed();
    give_back();
    // An error: it goes on.
    let _ = kill_current_process_group(Signal::TSTP);
}

/// Prints a line above what is drawn.
pub(super) fn print(drawing: &Drawing, text: &str) {
    // An error: nobody sees it.
    let _ = drawing.undisturbed(|| writeln!(io::stderr(), "{}", harmless(text)));
}
