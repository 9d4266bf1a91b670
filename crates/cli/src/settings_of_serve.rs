//! The settings of `serve`, for commands that do not serve.

use clap::ArgMatches;
use securecall_server::settings::{Environment, Loaded, Settings};

use crate::failure::Failure;
use crate::terminal::message::print_message;

/// Loads the settings that `serve` would use with these flags. Warnings go to standard error.
pub(crate) fn settings(flags: &ArgMatches) -> Result<Settings, Failure> {
    let mut environment = Environment::of_process();
    // The limit of open files concerns only a process that serves.
    environment.descriptors_max = None;
    let loaded = Loaded::new(flags, &environment)?;
    for warning in &loaded.warnings {
        print_message(&format!("warning: {warning}"))?;
    }
    Ok(loaded.settings)
}
