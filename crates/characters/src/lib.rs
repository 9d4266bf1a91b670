//! Characters by which a text from outside deceives its reader.
//!
//! It decides about one character alone. What is shown instead, or refused, is the user's decision.

/// Returns true if a character commands a terminal, turns the direction of writing (`gpj.exe` looks
/// like `exe.jpg`), breaks a line where it should not, or is invisible, so that two texts look like
/// one.
///
/// The joiners U+200C and U+200D are left: Persian and Hindi are not written without them, nor are
/// emoji of several. What looks like another text because of them could look so by its letters as
/// well (`а` for `a`). The flags of England, Scotland and Wales, which are made of tags, are the
/// price for the tags, in which a whole text can be hidden.
pub fn deceives(character: char) -> bool {
    match character {
        // C0 and C1, with DEL between them.
        character if character.is_control() => true,
        // Marks, embeddings, overrides and isolates of direction.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        // Separators of lines and of paragraphs.
        '\u{2028}' | '\u{2029}' => true,
        // The soft hyphen, the Mongolian vowel separator, the space without a width, and the one
        // that is a byte order mark at the beginning of a text.
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{feff}' => true,
        // The word joiner and invisible operators, isolates, and deprecated format characters.
        '\u{2060}'..='\u{206f}' => true,
        // Interlinear annotation.
        '\u{fff9}'..='\u{fffb}' => true,
        // Fillers, joiners of graphemes, and the blank of Braille: letters that are nothing.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{34f}' | '\u{2800}' => true,
        '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180d}' | '\u{180f}' => true,
        // Controls of musical notation.
        '\u{1d173}'..='\u{1d17a}' => true,
        // Tags, and selectors of variants beyond those that emoji need.
        '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_command_turn_break_or_hide_deceive() {
        let commands = "\0\n\t\u{1b}\u{7f}\u{9b}";
        let turns = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}";
        let breaks = "\u{2028}\u{2029}";
        let hides = "\u{ad}\u{180e}\u{200b}\u{2060}\u{2064}\u{206f}\u{feff}\u{fff9}\u{fffb}\u{e0000}\u{e007f}\u{3164}\u{34f}\u{2800}\u{e01ef}";
        for character in [commands, turns, breaks, hides].concat().chars() {
            assert!(deceives(character), "{character:?}");
        }
    }

    #[test]
    fn the_writing_of_people_does_not() {
        for text in
            ["Grüße, 写真 2", "مرحبا שלום", "می\u{200c}خواهم", "👩\u{200d}🚀 ❤\u{fe0f}", "a/b:c\\d"]
        {
            assert!(!text.chars().any(deceives), "{text}");
        }
    }
}
