//! Metrics for Prometheus.
//!
//! A scrape reads the counters at that moment; nothing is stored for it.

mod exposition;
mod families;
mod format;
mod process;

#[cfg(test)]
mod documented;

use crate::server::Server;

pub(crate) use self::format::Format;
pub(crate) use self::process::Process;

/// Returns all metrics as text.
pub(crate) fn render(server: &Server, process: &Process, format: Format) -> String {
    let scrape = families::Scrape::new(server, process);
    exposition::write(families::FAMILIES, &scrape, format)
}
