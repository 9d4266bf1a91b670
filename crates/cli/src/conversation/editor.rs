//! A line editor: keys go in, lines come out. It uses neither a terminal nor a clock.

use std::collections::VecDeque;

use console::Key;
use tui_input::{Input, InputRequest};

/// The longest line, in bytes: one message of the channel.
const LINE_BYTES_MAX: usize = securecall_peer::TEXT_BYTES_MAX;
/// The number of lines in the history, which is held in memory only.
const HISTORY_LINES_MAX: usize = 100;
/// The number of columns of [`PROMPT`].
const PROMPT_COLUMNS: usize = 2;
/// The prompt.
pub(super) const PROMPT: &str = "> ";

/// The line being edited, and the history.
#[derive(Default)]
pub(super) struct Editor {
    input: Input,
    history: VecDeque<String>,
    /// The position in the history, counted from its end. 0 is the new line.
    back: usize,
    /// The number of keys left in an escape sequence that [`Key`] has no name for.
    within_sequence: usize,
}

/// The result of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// The line changed.
    Edited,
    Line(String),
    /// Ctrl-D in an empty line.
    End,
    /// Ctrl-Z.
    Suspend,
}

/// The visible part of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) text: String,
    /// The column of the cursor, counted from 0.
    pub(super) cursor: usize,
}

impl Editor {
    pub(super) fn press(&mut self, key: &Key) -> Typed {
        if self.within_sequence > 0 {
            self.within_sequence -= 1;
            return self.end_sequence(key);
        }
        match key {
            Key::Enter => return self.enter(),
            Key::Char('\u{4}') if self.input.value().is_empty() => return Typed::End,
            Key::Char('\u{1a}') => return Typed::Suspend,
            Key::ArrowUp | Key::Char('\u{10}') => self.show_history(self.back.saturating_add(1)),
            Key::ArrowDown | Key::Char('\u{e}') => self.show_history(self.back.saturating_sub(1)),
            // `ESC [ 1 ;` arrives as one key, then the modifier and the key follow.
            Key::UnknownEscSeq(start) if start.ends_with(&[';']) => self.within_sequence = 2,
            Key::Char(typed) if !typed.is_control() => self.insert(*typed),
            key => drop(request(key).and_then(|request| self.input.handle(request))),
        }
        Typed::Edited
    }

    fn insert(&mut self, typed: char) {
        if self.input.value().len() < LINE_BYTES_MAX {
            self.input.handle(InputRequest::InsertChar(typed));
        }
    }

    fn end_sequence(&mut self, key: &Key) -> Typed {
        let request = match key {
            Key::Char('C') => InputRequest::GoToNextWord,
            Key::Char('D') => InputRequest::GoToPrevWord,
            _ => return Typed::Edited,
        };
        self.input.handle(request);
        Typed::Edited
    }

    fn enter(&mut self) -> Typed {
        let line = self.input.value_and_reset();
        self.back = 0;
        if !line.is_empty() && self.history.back() != Some(&line) {
            self.history.push_back(line.clone());
            if self.history.len() > HISTORY_LINES_MAX {
                self.history.pop_front();
            }
        }
        Typed::Line(line)
    }

    fn show_history(&mut self, back: usize) {
        let line = match back {
            0 => Some(String::new()),
            back => self.history.iter().rev().nth(back - 1).cloned(),
        };
        if let Some(line) = line {
            self.back = back;
            self.input = std::mem::take(&mut self.input).with_value(line);
        }
    }

    /// Returns the part of the line around the cursor that fits into `columns`.
    pub(super) fn view(&self, columns: usize) -> View {
        let room = columns.saturating_sub(PROMPT_COLUMNS + 1).max(1);
        let scroll = self.input.visual_scroll(room);
        let mut text = PROMPT.to_owned();
        let (mut before, mut shown) = (0, 0);
        for character in self.input.value().chars() {
            let width = console::measure_text_width(character.encode_utf8(&mut [0; 4]));
            if before < scroll {
                before += width;
            } else if shown + width > room {
                break;
            } else {
                shown += width;
                text.push(character);
            }
        }
        let cursor = PROMPT_COLUMNS + self.input.visual_cursor().saturating_sub(scroll);
        View { text, cursor }
    }
}

/// Maps the keys of readline to edits of a single line.
fn request(key: &Key) -> Option<InputRequest> {
    Some(match key {
        Key::ArrowLeft | Key::Char('\u{2}') => InputRequest::GoToPrevChar,
        Key::ArrowRight | Key::Char('\u{6}') => InputRequest::GoToNextChar,
        Key::Home => InputRequest::GoToStart,
        Key::End => InputRequest::GoToEnd,
        Key::Backspace => InputRequest::DeletePrevChar,
        Key::Del | Key::Char('\u{4}') => InputRequest::DeleteNextChar,
        Key::Char('\u{b}') => InputRequest::DeleteTillEnd,
        Key::Char('\u{15}') => InputRequest::DeleteFromStart,
        Key::Char('\u{17}') => InputRequest::DeletePrevWord,
        Key::Char('\u{19}') => InputRequest::Yank,
        Key::UnknownEscSeq(keys) => match keys.as_slice() {
            ['b'] => InputRequest::GoToPrevWord,
            ['f'] => InputRequest::GoToNextWord,
            ['d'] => InputRequest::DeleteNextWord,
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(editor: &mut Editor, text: &str) {
        for character in text.chars() {
            assert_eq!(editor.press(&Key::Char(character)), Typed::Edited);
        }
    }

    fn line(editor: &mut Editor, expected: &str) {
        assert_eq!(editor.press(&Key::Enter), Typed::Line(expected.to_owned()));
    }

    #[test]
    fn a_line_is_edited_where_the_cursor_is() {
        let mut editor = Editor::default();
        typed(&mut editor, "good mrning");
        for _ in 0..5 {
            editor.press(&Key::ArrowLeft);
        }
        typed(&mut editor, "o");
        assert_eq!(editor.view(80), View { text: "> good morning".to_owned(), cursor: 9 });
        editor.press(&Key::End);
        editor.press(&Key::Char('\u{17}'));
        typed(&mut editor, "evening");
        line(&mut editor, "good evening");
        assert_eq!(editor.view(80), View { text: "> ".to_owned(), cursor: 2 });
    }

    #[test]
    fn a_whole_character_is_deleted_however_it_is_made() {
        let mut editor = Editor::default();
        typed(&mut editor, "a👍🏽");
        editor.press(&Key::Backspace);
        line(&mut editor, "a");
    }

    #[test]
    fn up_brings_lines_back_and_there_are_not_too_many() {
        let mut editor = Editor::default();
        for n in 0..=HISTORY_LINES_MAX {
            typed(&mut editor, &n.to_string());
            editor.press(&Key::Enter);
        }
        assert_eq!(editor.history.len(), HISTORY_LINES_MAX);
        editor.press(&Key::ArrowUp);
        editor.press(&Key::ArrowUp);
        assert_eq!(editor.view(80).text, "> 99");
        editor.press(&Key::ArrowDown);
        line(&mut editor, "100");
        for _ in 0..=HISTORY_LINES_MAX {
            editor.press(&Key::ArrowUp);
        }
        assert_eq!(editor.view(80).text, "> 1");
    }

    #[test]
    fn ctrl_d_ends_an_empty_line_alone() {
        let mut editor = Editor::default();
        typed(&mut editor, "a");
        assert_eq!(editor.press(&Key::Char('\u{4}')), Typed::Edited);
        editor.press(&Key::Backspace);
        assert_eq!(editor.press(&Key::Char('\u{4}')), Typed::End);
        assert_eq!(editor.press(&Key::Char('\u{1a}')), Typed::Suspend);
    }

    #[test]
    fn keys_with_ctrl_go_by_words_and_leave_nothing_in_the_line() {
        let mut editor = Editor::default();
        typed(&mut editor, "one two");
        for key in [Key::UnknownEscSeq(vec!['[', '1', ';']), Key::Char('5'), Key::Char('D')] {
            editor.press(&key);
        }
        typed(&mut editor, "or ");
        line(&mut editor, "one or two");
    }

    #[test]
    fn a_line_longer_than_the_terminal_shows_what_is_around_the_cursor() {
        let mut editor = Editor::default();
        typed(&mut editor, &"写".repeat(50));
        typed(&mut editor, "end");
        let view = editor.view(20);
        assert!(view.text.ends_with("写end"), "{view:?}");
        assert!(view.cursor < 20 && console::measure_text_width(&view.text) < 20, "{view:?}");
        editor.press(&Key::Home);
        let view = editor.view(20);
        assert_eq!(view.cursor, 2);
        assert!(view.text.starts_with("> 写") && console::measure_text_width(&view.text) < 20);
    }

    #[test]
    fn a_line_has_a_bound() {
        let mut editor = Editor::default();
        typed(&mut editor, &"a".repeat(LINE_BYTES_MAX + 1));
        line(&mut editor, &"a".repeat(LINE_BYTES_MAX));
    }
}
