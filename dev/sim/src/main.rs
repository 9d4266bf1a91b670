//! `cargo run -p securecall-sim -- --seed N` replays a run and prints what happens.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for a terminal")]

use std::ops::Range;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use securecall_sim::{Mutation, Trace, run};

/// Runs SecureCall's sessions in a failing world.
#[derive(Debug, Parser)]
struct Arguments {
    /// Replay one run and print its trace.
    #[arg(long, conflicts_with_all = ["seeds", "hours"])]
    seed: Option<u64>,
    /// Run these seeds: A..B, without B.
    #[arg(long, value_parser = parse_range, default_value = "0..1000")]
    seeds: Range<u64>,
    /// Run new seeds, for this many hours.
    #[arg(long, conflicts_with = "seeds")]
    hours: Option<f64>,
    /// Put a fault around the sessions, to see that it is found.
    #[arg(long, value_enum, default_value_t)]
    mutation: Mutation,
    /// Stop at the first seed that fails.
    #[arg(long, conflicts_with = "seed")]
    first: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mutation = arguments.mutation;
    match (arguments.seed, arguments.hours) {
        (Some(seed), _) => replay(seed, mutation),
        (None, Some(hours)) => {
            let end = Instant::now() + Duration::from_secs_f64(hours * 3600.0);
            try_seeds(
                (fresh_seed()..).take_while(|_| Instant::now() < end),
                mutation,
                arguments.first,
            )
        }
        (None, None) => try_seeds(arguments.seeds, mutation, arguments.first),
    }
}

fn replay(seed: u64, mutation: Mutation) -> ExitCode {
    match run(seed, mutation, Trace::Print) {
        Ok(report) => {
            println!("seed {seed}: {report:?}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("seed {seed}: {violation}");
            ExitCode::FAILURE
        }
    }
}

fn try_seeds(seeds: impl Iterator<Item = u64>, mutation: Mutation, first: bool) -> ExitCode {
    let (mut runs, mut failures) = (0u64, 0u64);
    for seed in seeds {
        runs += 1;
        if let Err(violation) = run(seed, mutation, Trace::Off) {
            failures += 1;
            println!("seed {seed}: {violation}");
            println!("    cargo run -p securecall-sim -- --seed {seed}");
            if first {
                break;
            }
        }
        if runs.is_multiple_of(10_000) {
            eprintln!("{runs} runs, {failures} failures, now at seed {seed}");
        }
    }
    println!("{runs} runs, {failures} failures");
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A seed that depends on the time, far from those of the tests.
fn fresh_seed() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since_epoch.as_secs() << 24
}

fn parse_range(text: &str) -> Result<Range<u64>, String> {
    let (start, end) = text.split_once("..").ok_or("A..B is needed")?;
    let number = |text: &str| text.parse().map_err(|_| format!("{text} is no number"));
    Ok(number(start)?..number(end)?)
}
