//! Durations on the command line.

use std::time::Duration;

/// The longest duration, which can be added to any current time.
const MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// Parses a duration of at most a year.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text);
    let duration = parsed.map_err(|_| "must be a duration such as 500ms, 25s or 5m".to_owned())?;
    if duration > MAX { Err("must be at most a year".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_duration_gets_an_example_and_not_the_words_of_a_parser() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["abc", "5", "", "-1s", "5 parsecs", "99999999999999999999s"] {
            assert!(duration(text).unwrap_err().contains("such as 500ms"), "{text}");
        }
        assert!(duration("2y").unwrap_err().contains("a year"));
    }
}
