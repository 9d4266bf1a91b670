//! `securecall serve`: runs the server.

use std::ffi::OsString;

use clap::ArgMatches;
use securecall_server::settings::{
    Environment, Loaded, LogFormat, raise_descriptor_limit, requested_log_format,
};

use crate::command_line::is_serve;
use crate::failure::Failure;
use crate::terminal::logging;

pub(crate) const NAME: &str = "serve";
/// Examples below the help.
pub(crate) const EXAMPLES: &str = "\
Examples:
  securecall serve --listen 127.0.0.1:9000 --data-dir /var/lib/securecall
  securecall serve --config /etc/securecall/securecall.toml";

pub(crate) const ABOUT: &str = "Serve clients until SIGTERM or SIGINT (also without a command)";

/// Returns the format for the error of this command line: that of the log if it starts a server.
pub(crate) fn log_format(arguments: &[OsString]) -> LogFormat {
    if !is_serve(arguments) {
        return LogFormat::Text;
    }
    requested_log_format(arguments, &Environment::of_process())
}

/// Serves until the process gets SIGTERM or SIGINT.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let loaded = Loaded::new(flags, &environment)?;
    logging::start(&loaded.settings.log, loaded.settings.log_format);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if let Err(error) = raise_descriptor_limit() {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
    // A reload reads the files again, with the same flags and environment.
    let flags = flags.clone();
    let load = move || Loaded::new(&flags, &environment);
    securecall_server::serve_and_reload(loaded, load).map_err(Failure::Serve)
}
