//! `securecall directory`: looks keys up at a server, and manages the directory of one's own server
//! through its data folder.

mod export;
mod export_file;
mod import;
mod lookup;
mod operator;
mod reset;

use clap::{ArgMatches, Command};

use crate::failure::Failure;
pub(crate) use export_file::ExportFileError;

pub(crate) const NAME: &str = "directory";
pub(crate) const ABOUT: &str = "Look keys up; as an operator export, import and reset them";

/// Text below the help: the subcommands and their exit codes.
pub(crate) const HINTS: &str = "\
lookup asks a server, as every client can. The others work on the data folder of
a server of your own, whether it runs or not, as the user that it runs as:

  securecall directory lookup alice --server wss://example.org/signal
      Which key does the server give out, and is it the one I know?
  securecall directory reset alice
      She lost her device: the next key that is registered for alice is taken
  securecall directory export keys.jsonl
      A backup of all public keys
  securecall directory import keys.jsonl
      All of it into another server's directory, or nothing

Exit codes: 0 success, 1 it failed or something was not there, 2 the command
line, the configuration or the file is wrong, 3 (lookup) a key is another one
than remembered.";

/// Adds the subcommands.
pub(crate) fn with_options(command: Command) -> Command {
    command
        .subcommand_required(true)
        .subcommand(lookup::command())
        .subcommand(export::command())
        .subcommand(import::command())
        .subcommand(reset::command())
}

/// Runs the subcommand.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    match flags.subcommand() {
        Some((lookup::NAME, flags)) => lookup::run(flags),
        Some((export::NAME, flags)) => export::run(flags),
        Some((import::NAME, flags)) => import::run(flags),
        Some((reset::NAME, flags)) => reset::run(flags),
        _ => Ok(()),
    }
}
