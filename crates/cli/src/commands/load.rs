//! `securecall load`: puts a server under load.

use std::env;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches as _, Subcommand};
use securecall_load::dialect::DialectName;
use securecall_load::{Pace, Plan, ProgressBar, Report, WorkerProgram, Workload};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::duration::duration;
use crate::failure::Failure;

pub(crate) const NAME: &str = "load";
pub(crate) const ABOUT: &str = "Put a server under load, and measure it";

/// Text below the help: the limits that a server needs for a load test.
pub(crate) const HINTS: &str = "\
Example:
  securecall load relay --url ws://127.0.0.1:8080/signal

The default limits for one client and one address are too low for a load test.
Start the server with

  securecall serve --connections-per-address-max 1000000 \\
    --connection-burst 1000000 --connection-rate 1000000 \\
    --candidates-rate 1000000/1000000 --calls-rate 1000000/1000000 \\
    --other-rate 1000000/1000000

Exit codes: 1 when an operation failed, 2 when the command line is invalid, 130
after Ctrl-C, which ends a run with a report of the results so far.";

const DURATION: Duration = Duration::from_secs(10);
/// The default duration of a storm. A server that refuses clients makes them wait ten seconds,
/// possibly twice.
const STORM_DURATION: Duration = Duration::from_secs(60);

/// The hidden subcommand of a worker process.
const WORKER: &str = "worker";

#[derive(Debug, Args)]
struct Load {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Registered clients that send nothing
    #[command(after_help = "Example:\n  securecall load idle --connections 5000")]
    Idle {
        /// Number of clients
        #[arg(long, default_value_t = 1000)]
        connections: usize,
        #[command(flatten)]
        common: Common,
    },
    /// Candidates in both directions, in calls that were set up before
    #[command(after_help = "Example:\n  securecall load relay --pairs 500 --rate 20000")]
    Relay {
        /// Number of pairs of clients
        #[arg(long, default_value_t = 100)]
        pairs: usize,
        /// Messages in flight in each pair; the server determines the rate
        #[arg(long, default_value_t = 16, conflicts_with = "rate")]
        in_flight: usize,
        /// Messages per second in total, whether or not the server keeps up; latency is measured
        /// from when each is due
        #[arg(long)]
        rate: Option<f64>,
        /// Length of a candidate, in bytes
        #[arg(long, default_value_t = 200)]
        bytes: usize,
        #[command(flatten)]
        common: Common,
    },
    /// Whole calls: initiate, accept, candidates in both directions, end
    #[command(after_help = "Example:\n  securecall load calls --rate 200")]
    Calls {
        /// Concurrent calls; the server determines the rate
        #[arg(long, default_value_t = 100)]
        concurrency: usize,
        /// Calls started per second, whether or not the server keeps up; at most --concurrency are
        /// in progress, the others are queued
        #[arg(long)]
        rate: Option<f64>,
        /// Candidates of each side
        #[arg(long, default_value_t = 12)]
        candidates: usize,
        /// Length of offer and answer, in bytes
        #[arg(long, default_value_t = 2000)]
        bytes: usize,
        #[command(flatten)]
        common: Common,
    },
    /// All clients lose their connections at once, and reconnect at once
    #[command(after_help = "Example:\n  securecall load storm --connections 5000")]
    Storm {
        /// Number of clients
        #[arg(long, default_value_t = 1000)]
        connections: usize,
        #[command(flatten)]
        common: Common,
    },
    /// Large offers, each of which is rejected
    #[command(after_help = "Example:\n  securecall load offers --bytes 60000")]
    Offers {
        /// Concurrent offers; the server determines the rate
        #[arg(long, default_value_t = 16)]
        concurrency: usize,
        /// Offers started per second, whether or not the server keeps up
        #[arg(long)]
        rate: Option<f64>,
        /// Length of an offer in bytes, such as 4000 or 60000
        #[arg(long, default_value_t = 4000)]
        bytes: usize,
        #[command(flatten)]
        common: Common,
    },
    #[command(hide = true)]
    Worker,
}

/// The flags that all scenarios share.
#[derive(Debug, Args)]
struct Common {
    /// The server
    #[arg(long, default_value = "ws://127.0.0.1:8080/signal")]
    url: String,
    /// Allow a public address: you operate this server
    #[arg(long = "i-own-this-server")]
    own_server: bool,
    /// Duration of the measurement; a storm ends as soon as all clients are back [default: 10s,
    /// storm 60s]
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// Duration of the load before the measurement
    #[arg(long, default_value = "1s", value_parser = duration)]
    warmup: Duration,
    /// Time limit for clients to connect and register
    #[arg(long, default_value = "60s", value_parser = duration)]
    set_up_timeout: Duration,
    /// Threads of the load generator
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Process id of the server on this machine, to measure its CPU time and memory
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Local addresses to connect from, in turn [default: for a server on this machine, as many of
    /// 127.0.0.0/8 as needed]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    source_addresses: Vec<IpAddr>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Write the report with plots to an HTML page
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[arg(long, hide = true, default_value = "securecall", value_parser = dialect)]
    dialect: DialectName,
}

fn dialect(name: &str) -> Result<DialectName, String> {
    let found = DialectName::ALL.into_iter().find(|dialect| dialect.as_str() == name);
    found.ok_or_else(|| format!("one of {}", DialectName::ALL.map(DialectName::as_str).join(", ")))
}

/// Adds the scenarios and their flags.
pub(crate) fn with_options(command: Command) -> Command {
    Load::augment_args(command)
}

/// Runs a scenario and prints the report.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let load = Load::from_arg_matches(flags)?;
    let Some((workload, common)) = load.scenario.take_apart() else {
        return securecall_load::serve_parent().map_err(|error| Failure::Load(error.into()));
    };
    // Created before the run, so that a wrong path does not waste the run.
    let page = common.report.as_ref().map(File::create).transpose().map_err(Failure::Report)?;
    let stop = stop_at_ctrl_c().map_err(|error| Failure::Load(error.into()))?;
    let report = {
        let bar = ProgressBar::start();
        let plan = common.plan(workload);
        securecall_load::run(&plan, Some(&worker()?), &stop, &mut |progress| bar.show(progress))
            .map_err(Failure::Load)?
    };
    if let Some(mut page) = page {
        page.write_all(report.to_html().as_bytes()).map_err(Failure::Report)?;
    }
    print(&report, common.json).map_err(Failure::Output)?;
    match report.failures_total() {
        0 if report.interrupted => Err(Failure::Interrupted),
        0 => Ok(()),
        failures => Err(Failure::UnderLoad(failures)),
    }
}

/// Makes the first Ctrl-C end the run with a report, and the second end the program.
fn stop_at_ctrl_c() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_default(signal, stop.clone())?;
        flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)
    } else {
        write!(out, "{report}")
    }
}

/// Returns the command of a worker process: this program again.
fn worker() -> Result<WorkerProgram, Failure> {
    let program = env::current_exe().map_err(|error| Failure::Load(error.into()))?;
    Ok(WorkerProgram { program, arguments: vec![NAME.to_owned(), WORKER.to_owned()] })
}

impl Scenario {
    /// Returns the workload and the shared flags, or `None` in a worker process.
    fn take_apart(self) -> Option<(Workload, Common)> {
        let pace =
            |rate: Option<f64>, in_flight| rate.map_or(Pace::InFlight(in_flight), Pace::PerSecond);
        Some(match self {
            Self::Idle { connections, common } => (Workload::Idle { connections }, common),
            Self::Storm { connections, common } => (Workload::Storm { connections }, common),
            Self::Relay { pairs, in_flight, rate, bytes, common } => {
                (Workload::Relay { pairs, pace: pace(rate, in_flight), bytes }, common)
            }
            Self::Calls { concurrency: pairs, rate, candidates, bytes, common } => {
                (Workload::Calls { pairs, pace: pace(rate, 1), candidates, bytes }, common)
            }
            Self::Offers { concurrency: pairs, rate, bytes, common } => {
                (Workload::Offers { pairs, pace: pace(rate, 1), bytes }, common)
            }
            Self::Worker => return None,
        })
    }
}

impl Common {
    fn plan(&self, workload: Workload) -> Plan {
        Plan {
            url: self.url.clone(),
            own_server: self.own_server,
            dialect: self.dialect,
            workload,
            duration: self.duration.unwrap_or(match workload {
                Workload::Storm { .. } => STORM_DURATION,
                _ => DURATION,
            }),
            warmup: self.warmup,
            set_up_timeout: self.set_up_timeout,
            threads: self.threads,
            server_pid: self.server_pid,
            sources: self.source_addresses.clone(),
        }
    }
}
