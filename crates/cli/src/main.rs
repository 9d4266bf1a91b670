//! The `securecall` command.
//!
//! Exit codes: 0 for success; 1 if the server, a load test or a call failed; 2 if the command line
//! or the configuration is invalid; 3 if the key of the other person is not the expected one; 130
//! after Ctrl-C.

mod command_line;
mod commands;
mod contact;
#[cfg(feature = "terminal")]
mod conversation;
mod core_dumps;
mod duration;
mod failure;
mod files;
mod runtime;
mod settings_of_serve;
mod terminal;
mod throwaway_id;
mod unavailable;
mod usage;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

#[cfg(feature = "load")]
use commands::load;
#[cfg(feature = "terminal")]
use commands::{call, listen, probe};
use commands::{check_config, completions, directory, health, keys, man, serve, turn};
use failure::Failure;
use securecall_server::settings::LogFormat;
use terminal::logging;

/// Returns freed memory to the system after some seconds, wherever it lies. The system's own
/// allocator cannot return memory below a block that is still in use: after a flood, that is all of
/// it.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    core_dumps::forbid();
    let arguments: Vec<_> = env::args_os().collect();
    match run(arguments.clone()) {
        Ok(()) => ExitCode::SUCCESS,
        // Expected with `head` and the like, so nothing is printed.
        Err(failure) if failure.is_broken_pipe() => failure.exit_code(),
        Err(failure) => {
            let line = match serve::log_format(&arguments) {
                LogFormat::Text if failure.is_requested() => failure.to_string(),
                LogFormat::Text => format!("error: {failure}"),
                LogFormat::Json => logging::error_line(&failure, SystemTime::now()),
            };
            // If standard error is closed, the exit code still reports the failure.
            let _ = writeln!(io::stderr(), "{line}");
            failure.exit_code()
        }
    }
}

fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(matches) = command_line::parse(arguments)? else { return Ok(()) };
    match matches.subcommand() {
        Some((check_config::NAME, flags)) => check_config::run(flags),
        #[cfg(feature = "terminal")]
        Some((call::NAME, flags)) => call::run(flags),
        #[cfg(feature = "terminal")]
        Some((listen::NAME, flags)) => listen::run(flags),
        Some((completions::NAME, flags)) => completions::run(flags),
        Some((directory::NAME, flags)) => directory::run(flags),
        Some((health::NAME, flags)) => health::run(flags),
        Some((keys::NAME, flags)) => keys::run(flags),
        #[cfg(feature = "load")]
        Some((load::NAME, flags)) => load::run(flags),
        Some((man::NAME, flags)) => man::run(flags),
        #[cfg(feature = "terminal")]
        Some((probe::NAME, flags)) => probe::run(flags),
        Some((turn::NAME, flags)) => turn::run(flags),
        Some((name, flags)) => match unavailable::find(name) {
            Some(unavailable) => Err(Failure::UnavailableCommand(unavailable)),
            None => serve::run(flags),
        },
        None => serve::run(&matches),
    }
}
