//! An identity as a QR code for another person's telephone.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use securecall_seal::DirectoryKey;

/// `securecall:CLIENT_ID?fingerprint=DIGITS`, as a block of text. Empty if it were too long, which
/// 64 characters and 40 digits are not.
pub(super) fn code(key: &DirectoryKey) -> String {
    let digits = key.fingerprint().to_string().replace(' ', "");
    let uri = format!("securecall:{}?fingerprint={digits}", key.client_id());
    let Ok(code) = QrCode::new(uri) else { return String::new() };
    // Terminals are mostly dark: what is light in the code is drawn.
    let mut drawn = code.render::<Dense1x2>();
    let drawn = drawn.dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
    format!("\n{drawn}\n")
}
