//! The log: its filter and its format.

use std::fmt;
use std::str::FromStr;

/// The filter of log lines: a level, or several `TARGET=LEVEL` and a level for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl LogFilter {
    /// Returns the filter in the syntax of `tracing_subscriber`'s `Targets`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogFilter {
    type Err = InvalidLogFilter;

    /// Parses a filter. It is stricter than `tracing_subscriber`, which takes a misspelt level for
    /// a target, and then logs nothing at all.
    fn from_str(text: &str) -> Result<Self, InvalidLogFilter> {
        let usable = text.split(',').all(|directive| {
            let level = directive.split_once('=').map_or(directive, |(_, level)| level);
            LEVELS.contains(&level)
        });
        usable.then(|| Self(text.to_owned())).ok_or(InvalidLogFilter)
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a log filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be one of {}, or TARGET=LEVEL separated by commas, such as info,securecall_server=debug",
    LEVELS.join(", ")
)]
pub struct InvalidLogFilter;

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}
