//! The settings of a server, for a command that serves nothing.

use clap::ArgMatches;
use securecall_server::settings::{Loaded, Settings, Surroundings};

use crate::failure::Failure;
use crate::terminal::note::note;

/// Those that `serve` would have with these flags. Warnings go to standard error.
pub(crate) fn settings(flags: &ArgMatches) -> Result<Settings, Failure> {
    let mut surroundings = Surroundings::of_process();
    // Nothing is served, so it does not matter how many files may be open.
    surroundings.descriptors_max = None;
    let loaded = Loaded::new(flags, &surroundings)?;
    for warning in &loaded.warnings {
        note(&format!("warning: {warning}"))?;
    }
    Ok(loaded.settings)
}
