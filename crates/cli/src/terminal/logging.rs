//! Log lines on standard error. Standard output is for the results of commands.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::time::SystemTime;

use securecall_server::settings::{LogFilter, LogFormat};
use serde_json::json;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt as lines_of, registry};

/// Starts logging for the whole process.
pub(crate) fn start(filter: &LogFilter, format: LogFormat) {
    let lines = lines_of::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    registry().with(lines.with_filter(targets(filter))).init();
}

/// Formats an error as a JSON line like those of the log, which may not have been started yet.
pub(crate) fn error_line(error: &impl fmt::Display, now: SystemTime) -> String {
    json!({
        "timestamp": humantime::format_rfc3339_micros(now).to_string(),
        "level": "ERROR",
        "fields": { "message": error.to_string() },
        "target": module_path!(),
    })
    .to_string()
}

/// Converts a filter. `LogFilter` is stricter than `Targets`, so this cannot fail; if it did, the
/// default level would apply.
fn targets(filter: &LogFilter) -> Targets {
    filter.as_str().parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO))
}
