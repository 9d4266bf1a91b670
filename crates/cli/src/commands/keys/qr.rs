//! An identity as a QR code, to be scanned by another person.

use std::io::{self, IsTerminal as _};

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use securecall_seal::DirectoryKey;

use crate::contact::SCHEME;

/// Black on white, in fixed colours that no terminal palette changes.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const AS_BEFORE: &str = "\x1b[0m";

/// Returns `securecall:CLIENT_ID?fingerprint=DIGITS` as a block of text. It is empty if the code
/// would be too long, which cannot happen with 64 characters and 40 digits.
pub(super) fn code(key: &DirectoryKey) -> String {
    let digits = key.fingerprint().to_string().replace(' ', "");
    let uri = format!("{SCHEME}{}?fingerprint={digits}", key.client_id());
    let Ok(code) = QrCode::new(uri) else { return String::new() };
    if io::stdout().is_terminal() { in_colours(&code) } else { as_text(&code) }
}

/// Draws dark modules on light ones, independently of the terminal's colours.
fn in_colours(code: &QrCode) -> String {
    let mut drawn = code.render::<Dense1x2>();
    let drawn = drawn.dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
    let line = |line: &str| format!("{BLACK_ON_WHITE}{line}{AS_BEFORE}\n");
    format!("\n{}", drawn.lines().map(line).collect::<String>())
}

/// Draws without colours, inverted, for a dark screen.
fn as_text(code: &QrCode) -> String {
    let mut drawn = code.render::<Dense1x2>();
    let drawn = drawn.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    format!("\n{drawn}\n")
}
