//! `securecall serve`: the server.

use clap::ArgMatches;
use securecall_server::settings::{Loaded, Surroundings, raise_descriptor_limit};

use crate::failure::Failure;
use crate::logging;

pub(crate) const NAME: &str = "serve";
/// How to use it.
pub(crate) const EXAMPLES: &str = "\
Examples:
  securecall serve --listen 127.0.0.1:9000 --data-dir /var/lib/securecall
  securecall serve --config /etc/securecall/securecall.toml";

pub(crate) const ABOUT: &str = "Serve clients until SIGTERM or SIGINT (also without a command)";

/// Serves until the process is told to stop.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let Loaded { settings, warnings, .. } = Loaded::new(flags, &Surroundings::of_process())?;
    logging::start(&settings.log, settings.log_format);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if let Err(error) = raise_descriptor_limit() {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
    securecall_server::serve(settings).map_err(Failure::Serve)
}
