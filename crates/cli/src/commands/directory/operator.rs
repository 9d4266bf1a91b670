//! What the commands for operators share: where the directory is.

use std::time::{Duration, SystemTime};

use clap::{Arg, Command};
use securecall_server::operator::{Operator, Rules};
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
    Operator::at(&settings.data_dir, rules(settings)).map_err(Failure::Operator)
}

/// The directory of these settings, which is made if there is none.
pub(super) fn create(settings: &Settings) -> Result<Operator, Failure> {
    Operator::at_new(&settings.data_dir, rules(settings)).map_err(Failure::Operator)
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        key_bytes_max: settings.directory.key_bytes_max,
        reset_delay: *settings.identity.reset_delay,
    }
}

/// The end of the year 9999, which is the latest time of a link.
const TIME_MAX: u64 = 253_402_300_799;

/// A time in seconds since 1970, for people; what no calendar has is shown as the last second of one.
pub(super) fn moment(seconds: u64) -> String {
    let since_1970 = Duration::from_secs(seconds.min(TIME_MAX));
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since_1970).to_string()
}

/// How long a reset still waits, and since when.
pub(super) fn waits(left_seconds: u64) -> String {
    // Nobody plans by seconds; the last minute is shown all the same.
    let left = if left_seconds < 60 { left_seconds } else { left_seconds / 60 * 60 };
    humantime::format_duration(Duration::from_secs(left)).to_string()
}

/// A number of things, in words.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
