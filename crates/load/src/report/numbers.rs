//! Numbers as people read them.

/// A number with its thousands separated, and with one decimal if it is small.
pub(super) fn grouped(number: f64) -> String {
    if number.abs() < 100.0 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{:.0}", number.abs());
    let mut out = if number < 0.0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with at most four decimals, without trailing zeros.
pub(super) fn trimmed(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A size in bytes.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}

/// A time in microseconds, in the unit that suits its size.
pub(super) fn time(micros: f64) -> String {
    match micros {
        m if m < 1e3 => format!("{} µs", grouped(m)),
        m if m < 1e6 => format!("{:.1} ms", m / 1e3),
        m => format!("{:.2} s", m / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0.0, "0"),
            (7.25, "7.2"),
            (100.4, "100"),
            (1234.0, "1,234"),
            (1e6, "1,000,000"),
            (-1234.0, "-1,234"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn trailing_zeros_are_cut() {
        for (number, text) in [(100.0, "100"), (0.075, "0.075"), (2.5, "2.5"), (0.0, "0")] {
            assert_eq!(trimmed(number), text);
        }
    }
}
