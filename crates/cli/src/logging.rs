//! Log lines, on standard error: standard output is for what was asked for.

use std::io::{self, IsTerminal as _};

use securecall_server::settings::{LogFilter, LogFormat};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt, registry};

/// Starts logging for the whole process.
pub(crate) fn start(filter: &LogFilter, format: LogFormat) {
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    registry().with(lines.with_filter(targets(filter))).init();
}

/// A `LogFilter` is stricter than `Targets`, so this takes each; were one refused, too much is
/// logged rather than nothing.
fn targets(filter: &LogFilter) -> Targets {
    filter.as_str().parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO))
}
