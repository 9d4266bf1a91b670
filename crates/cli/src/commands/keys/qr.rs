//! An identity as a QR code for another person's telephone.

use std::io::{self, IsTerminal as _};

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use securecall_seal::DirectoryKey;

use crate::contact::SCHEME;

/// Black on white, in colours that no palette of a terminal changes.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const AS_BEFORE: &str = "\x1b[0m";

/// `securecall:CLIENT_ID?fingerprint=DIGITS`, as a block of text. Empty if it were too long, which
/// 64 characters and 40 digits are not.
pub(super) fn code(key: &DirectoryKey) -> String {
    let digits = key.fingerprint().to_string().replace(' ', "");
    let uri = format!("{SCHEME}{}?fingerprint={digits}", key.client_id());
    let Ok(code) = QrCode::new(uri) else { return String::new() };
    if io::stdout().is_terminal() { in_colours(&code) } else { as_text(&code) }
}

/// Dark modules on light ones, whatever colours the terminal has.
fn in_colours(code: &QrCode) -> String {
    let mut drawn = code.render::<Dense1x2>();
    let drawn = drawn.dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
    let line = |line: &str| format!("{BLACK_ON_WHITE}{line}{AS_BEFORE}\n");
    format!("\n{}", drawn.lines().map(line).collect::<String>())
}

/// Without colours, for a screen that is dark: what is light in the code is drawn.
fn as_text(code: &QrCode) -> String {
    let mut drawn = code.render::<Dense1x2>();
    let drawn = drawn.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    format!("\n{drawn}\n")
}
