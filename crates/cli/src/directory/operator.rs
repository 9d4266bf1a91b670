//! What the three commands for operators share: where the directory is.

use std::io::{self, Write as _};

use clap::{Arg, ArgMatches, Command};
use securecall_server::operator::Operator;
use securecall_server::settings::{Loaded, Settings, Surroundings, with_options};

use crate::failure::Failure;

/// A command that takes everything that `serve` takes, so that one set of flags, one file and one
/// environment do for both; shown is what counts here.
pub(super) fn command(name: &'static str, about: &'static str) -> Command {
    let command = with_options(Command::new(name)).mut_args(hide_what_does_not_matter);
    // What follows is no setting.
    command.about(about).next_help_heading(None)
}

fn hide_what_does_not_matter(arg: Arg) -> Arg {
    let is_setting = arg.get_help_heading().is_some();
    let is_folder = arg.get_id() == "data_dir";
    arg.hide(is_setting && !is_folder)
}

/// The settings, with warnings on standard error.
pub(super) fn settings(flags: &ArgMatches) -> Result<Settings, Failure> {
    let mut surroundings = Surroundings::of_process();
    // Nothing is served, so it does not matter how many files may be open.
    surroundings.descriptors_max = None;
    let loaded = Loaded::new(flags, &surroundings)?;
    for warning in &loaded.warnings {
        note(&format!("warning: {warning}"))?;
    }
    Ok(loaded.settings)
}

/// The directory of these settings, of a server that runs or not.
pub(super) fn open(settings: &Settings) -> Result<Operator, Failure> {
    let key_bytes_max = settings.directory.key_bytes_max;
    Operator::at(&settings.data_dir, key_bytes_max).map_err(Failure::Operator)
}

/// For people: standard output is for what was asked for.
pub(super) fn note(text: &str) -> Result<(), Failure> {
    writeln!(io::stderr(), "{text}").map_err(Failure::Output)
}

/// A number of things, in words.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
