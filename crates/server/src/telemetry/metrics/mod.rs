//! Metrics: what the server counts, as Prometheus reads it.
//!
//! A scrape reads the counters when it is asked for; nothing is kept for it.

mod exposition;
mod families;
mod format;
mod process;

#[cfg(test)]
mod documented;

use crate::server::Server;

pub(crate) use self::format::Format;
pub(crate) use self::process::Process;

/// All metrics as text.
pub(crate) fn render(server: &Server, process: &Process, format: Format) -> String {
    let scrape = families::Scrape::new(server, process);
    exposition::write(families::FAMILIES, &scrape, format)
}
