//! Access to the directory of a server, shared by the commands for operators.

use std::time::{Duration, SystemTime};

use clap::{Arg, Command};
use securecall_server::operator::{Operator, Rules};
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
    Operator::at(&settings.data_dir, rules(settings)).map_err(Failure::Operator)
}

/// Opens the directory of these settings, and creates it if it does not exist.
pub(super) fn create(settings: &Settings) -> Result<Operator, Failure> {
    Operator::at_new(&settings.data_dir, rules(settings)).map_err(Failure::Operator)
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        key_bytes_max: settings.directory.key_bytes_max,
        reset_delay: *settings.identity.reset_delay,
    }
}

/// The latest time of a link: the end of the year 9999.
const TIME_MAX: u64 = 253_402_300_799;

/// Formats a time in seconds since 1970. A later one than links can have is shown as the latest.
pub(super) fn moment(seconds: u64) -> String {
    let since_1970 = Duration::from_secs(seconds.min(TIME_MAX));
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since_1970).to_string()
}

/// Formats the time that a reset is still pending.
pub(super) fn waits(left_seconds: u64) -> String {
    // Seconds matter in the last minute only.
    let left = if left_seconds < 60 { left_seconds } else { left_seconds / 60 * 60 };
    humantime::format_duration(Duration::from_secs(left)).to_string()
}

/// Formats a count with its noun in the singular or the plural.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
