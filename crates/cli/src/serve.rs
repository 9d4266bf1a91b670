//! `securecall serve`: the server.

use clap::ArgMatches;
use securecall_server::settings::{Loaded, Surroundings, raise_descriptor_limit};

use crate::failure::Failure;
use crate::logging;

pub(crate) const NAME: &str = "serve";
pub(crate) const ABOUT: &str = "Serve clients until SIGTERM or SIGINT (also without a command)";

/// Serves until the process is told to stop.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let surroundings = Surroundings::of_process();
    let loaded = Loaded::new(flags, &surroundings)?;
    logging::start(&loaded.settings.log, loaded.settings.log_format);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if let Err(error) = raise_descriptor_limit() {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
    // The flags and the environment stay what they are; the files may be others.
    let flags = flags.clone();
    let load = move || Loaded::new(&flags, &surroundings);
    securecall_server::serve_and_reload(loaded, load).map_err(Failure::Serve)
}
