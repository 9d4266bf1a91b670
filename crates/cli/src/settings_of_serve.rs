//! The settings of `serve`, for commands that do not serve.

use clap::ArgMatches;
use securecall_server::settings::{Loaded, Settings, Surroundings};

use crate::failure::Failure;
use crate::terminal::note::note;

/// Loads the settings that `serve` would use with these flags. Warnings go to standard error.
pub(crate) fn settings(flags: &ArgMatches) -> Result<Settings, Failure> {
    let mut surroundings = Surroundings::of_process();
    // The limit of open files concerns only a process that serves.
    surroundings.descriptors_max = None;
    let loaded = Loaded::new(flags, &surroundings)?;
    for warning in &loaded.warnings {
        note(&format!("warning: {warning}"))?;
    }
    Ok(loaded.settings)
}
