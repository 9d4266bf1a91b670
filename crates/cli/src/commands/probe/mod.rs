//! `securecall probe`: tests a server from outside.
//!
//! Two temporary clients register, look each other up, and make a whole call with a real data
//! channel. A bare connection tests the protocol's rules. Each TURN server has to relay. The report
//! names no client, key or address except those of servers.

mod call;
mod relays;
mod report;
mod rules;

use std::io::{self, Write as _};
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches as _};

use super::health::request::{Trust, look_at as look_at_health};
use crate::conversation::options::server;
use crate::duration::duration;
use crate::failure::Failure;
use crate::runtime::runtime;
use report::Report;

pub(crate) const NAME: &str = "probe";
pub(crate) const ABOUT: &str = "Test a server: a whole call, the protocol's rules, its TURN \
                                servers";

/// Text below the help: the effects of a probe and its exit codes.
pub(crate) const HINTS: &str = "\
Two temporary clients register and call each other. No other client is called and
no key is published, so nothing is left at the server.

  securecall probe wss://example.org/signal
  securecall probe --json ws://127.0.0.1:8080/signal | jq .ok

Exit codes: 0 when all steps succeeded, 1 when one failed, 2 when the command line
is invalid.";

#[derive(Debug, Args)]
struct Probe {
    /// The server
    #[arg(value_name = "URL", value_parser = server)]
    url: String,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Time limit for each step
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    timeout: Duration,
}

/// Adds the flags of the command.
pub(crate) fn with_options(command: Command) -> Command {
    Probe::augment_args(command)
}

/// Probes the server, and prints the report.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let probe = Probe::from_arg_matches(flags)?;
    let report = runtime()?.block_on(look_at(&probe));
    let text = if probe.json { report.as_json() } else { report.as_text() };
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    match report.failed() {
        0 => Ok(()),
        failed => Err(Failure::ProbeFailed(failed)),
    }
}

async fn look_at(probe: &Probe) -> Report {
    let mut report = Report::new(probe.timeout);
    if !rules::look_at(&mut report, &probe.url).await {
        return report;
    }
    report.step("health", look_at_health(&probe.url, Trust::Authorities)).await;
    let Some(ice_servers) = call::make(&mut report, &probe.url).await else {
        return report;
    };
    relays::look_at(&mut report, &ice_servers).await;
    report
}
