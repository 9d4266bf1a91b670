//! `securecall check-config`: what would count, without serving.

use std::io::{self, Write as _};

use clap::ArgMatches;
use securecall_server::settings::{Loaded, Surroundings};

use crate::failure::Failure;
use crate::note::note;

pub(crate) const NAME: &str = "check-config";
pub(crate) const ABOUT: &str = "Check the configuration; print what counts and where it comes from";

/// Prints the configuration as TOML, with its origins as comments. Warnings go to standard error.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let loaded = Loaded::new(flags, &Surroundings::of_process())?;
    for warning in &loaded.warnings {
        note(&format!("warning: {warning}"))?;
    }
    securecall_server::check(&loaded.settings).map_err(Failure::Unusable)?;
    write!(io::stdout(), "{}", loaded.to_toml()).map_err(Failure::Output)
}
