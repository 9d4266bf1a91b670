//! A QR code on a dark and on a light terminal, read from a picture of the screen.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::num::NonZeroU16;
use std::process::{Command, Stdio};

use vt100::{Cell, Color, Parser, Screen};

const ROWS: u16 = 60;
const COLUMNS: u16 = 100;
/// The points of the picture for a column. A row has twice as many.
const COLUMN_POINTS: usize = 4;

/// The default colours of a terminal: foreground and background, from 0 (black) to 255 (white).
#[derive(Clone, Copy)]
struct Palette(u8, u8);

const DARK: Palette = Palette(229, 0);
const LIGHT: Palette = Palette(0, 255);

/// Returns the output of `securecall` at a terminal.
fn at_a_terminal(home: &std::path::Path, arguments: &str) -> Vec<u8> {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_securecall"));
    let mut command = Command::new("script");
    let command = command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let output = command.env("HOME", home).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    output.stdout
}

fn brightness(color: Color, default: u8) -> u8 {
    match color {
        Color::Default => default,
        Color::Idx(16) => 0,
        Color::Idx(231) => 255,
        Color::Idx(_) => 127,
        Color::Rgb(red, green, blue) => red.max(green).max(blue),
    }
}

/// Returns the upper and the lower half of a cell.
fn halves(cell: &Cell, Palette(foreground, background): Palette) -> [u8; 2] {
    let ink = brightness(cell.fgcolor(), foreground);
    let paper = brightness(cell.bgcolor(), background);
    match cell.contents() {
        "█" => [ink, ink],
        "▀" => [ink, paper],
        "▄" => [paper, ink],
        _ => [paper, paper],
    }
}

fn point(screen: &Screen, palette: Palette, x: usize, y: usize) -> u8 {
    let (column, half) = (x / COLUMN_POINTS, y / COLUMN_POINTS);
    let cell = screen.cell((half / 2) as u16, column as u16).unwrap();
    halves(cell, palette)[half % 2]
}

/// Returns the texts that a QR decoder reads from the screen.
fn scanned(output: &[u8], palette: Palette) -> Vec<String> {
    let [rows, columns] = [ROWS, COLUMNS].map(|count| NonZeroU16::new(count).unwrap());
    let mut terminal = Parser::new(rows, columns, 0);
    terminal.process(output);
    let (width, height) = (COLUMNS as usize * COLUMN_POINTS, 2 * ROWS as usize * COLUMN_POINTS);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        point(terminal.screen(), palette, x, y)
    });
    picture
        .detect_grids()
        .iter()
        .filter_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
        .collect()
}

#[test]
fn a_code_scans_on_a_dark_and_on_a_light_terminal() {
    let home = tempfile::tempdir().unwrap();
    let made = String::from_utf8(at_a_terminal(home.path(), "keys new alice")).unwrap();
    let digits = made.split_once("fingerprint").unwrap().1.lines().next().unwrap();
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let shown = at_a_terminal(home.path(), "keys show --qr");
    for palette in [DARK, LIGHT] {
        let uri = format!("securecall:alice?fingerprint={digits}");
        assert_eq!(scanned(&shown, palette), [uri.as_str()]);
    }
    // The decoder rejects a code with inverted colours, which a light terminal would show.
    let mut command = Command::new(env!("CARGO_BIN_EXE_securecall"));
    let piped = command.args(["keys", "show", "--qr"]).env("HOME", home.path()).output().unwrap();
    let piped = String::from_utf8(piped.stdout).unwrap().replace('\n', "\r\n");
    assert_eq!(scanned(piped.as_bytes(), DARK).len(), 1);
    assert!(scanned(piped.as_bytes(), LIGHT).is_empty());
}
