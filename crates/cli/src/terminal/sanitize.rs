//! Sanitizes text from outside before it is printed on a terminal.

use securecall_characters::deceives;

/// Replaces characters that move the cursor, change colours or the title, or disguise the text.
pub(crate) fn sanitized(text: &str) -> String {
    let shown = |character: char| match character {
        '\t' => ' ',
        character if deceives(character) => '\u{fffd}',
        character => character,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_control_the_terminal() {
        assert_eq!(sanitized("a\u{1b}[2Jb\r\nc\u{9b}d"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\u{fffd}d");
        assert_eq!(sanitized("gpj\u{202e}.\u{2028}exe"), "gpj\u{fffd}.\u{fffd}exe");
        assert_eq!(sanitized("Grüße,\t写真"), "Grüße, 写真");
    }
}
