//! Access to the directory of a server, shared by `export`, `import` and `reset`.

use clap::{Arg, Command};
use securecall_server::operator::Operator;
use securecall_server::settings::{Settings, with_options};

use crate::failure::Failure;
pub(super) use crate::settings_of_serve::settings;
pub(super) use crate::terminal::message::print_message;

/// Returns a command that accepts all settings of `serve`, so that the same flags, file and
/// environment work for both. Help shows only the settings that matter here.
pub(super) fn command(name: &'static str, about: &'static str) -> Command {
    let command = with_options(Command::new(name)).mut_args(hide_other_settings);
    // The flags that follow are not settings.
    command.about(about).next_help_heading(None)
}

fn hide_other_settings(arg: Arg) -> Arg {
    let is_setting = arg.get_help_heading().is_some();
    let is_folder = arg.get_id() == "data_dir";
    arg.hide(is_setting && !is_folder)
}

/// Opens the directory of these settings, whether or not its server runs.
pub(super) fn open(settings: &Settings) -> Result<Operator, Failure> {
    let key_bytes_max = settings.directory.key_bytes_max;
    Operator::at(&settings.data_dir, key_bytes_max).map_err(Failure::Operator)
}

/// Opens the directory of these settings, and creates it if it does not exist.
pub(super) fn create(settings: &Settings) -> Result<Operator, Failure> {
    let key_bytes_max = settings.directory.key_bytes_max;
    Operator::at_new(&settings.data_dir, key_bytes_max).map_err(Failure::Operator)
}

/// Formats a count with its noun in the singular or the plural.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
