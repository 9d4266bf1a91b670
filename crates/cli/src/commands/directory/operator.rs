//! What the three commands for operators share: where the directory is.

use clap::{Arg, Command};
use securecall_server::operator::Operator;
use securecall_server::settings::{Settings, with_options};

use crate::failure::Failure;
pub(super) use crate::settings_of_serve::settings;
pub(super) use crate::terminal::note::note;

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

/// The directory of these settings, of a server that runs or not.
pub(super) fn open(settings: &Settings) -> Result<Operator, Failure> {
    let key_bytes_max = settings.directory.key_bytes_max;
    Operator::at(&settings.data_dir, key_bytes_max).map_err(Failure::Operator)
}

/// The directory of these settings, which is made if there is none.
pub(super) fn create(settings: &Settings) -> Result<Operator, Failure> {
    let key_bytes_max = settings.directory.key_bytes_max;
    Operator::at_new(&settings.data_dir, key_bytes_max).map_err(Failure::Operator)
}

/// A number of things, in words.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
