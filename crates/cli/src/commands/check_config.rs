//! `securecall check-config`: checks the configuration without starting a server.

use std::io::{self, Write as _};

use clap::{Arg, ArgAction, ArgMatches, Command};
use securecall_server::settings::{Environment, Loaded, with_options as with_settings};

use crate::failure::Failure;
use crate::terminal::message::print_message;

pub(crate) const NAME: &str = "check-config";
pub(crate) const ABOUT: &str = "Check the configuration; print the effective settings and their \
                                origins";

/// Examples below the help.
pub(crate) const EXAMPLES: &str = "\
Examples:
  securecall check-config --config /etc/securecall/securecall.toml
  securecall check-config --print > securecall.toml";

const PRINT: &str = "print";

/// Adds the flags of the command.
pub(crate) fn with_options(command: Command) -> Command {
    let print = Arg::new(PRINT)
        .long(PRINT)
        .action(ArgAction::SetTrue)
        .help("Print a file with every setting and its description, for editing");
    with_settings(command).next_help_heading(None).arg(print)
}

/// Prints the configuration as TOML, with origins or descriptions as comments. Warnings go to
/// standard error. It changes nothing, so it can run beside a running server.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let loaded = Loaded::new(flags, &Environment::of_process())?;
    for warning in &loaded.warnings {
        print_message(&format!("warning: {warning}"))?;
    }
    // A file that is printed for editing may name files that do not exist yet.
    let text = if flags.get_flag(PRINT) {
        loaded.to_sample_file()
    } else {
        securecall_server::check(&loaded.settings).map_err(Failure::Unusable)?;
        loaded.to_toml()
    };
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)
}
