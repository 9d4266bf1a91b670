//! `securecall directory`: looks keys up at a server, and manages the directory of one's own server
//! through its data folder.

mod export;
mod export_file;
mod history;
mod import;
mod lookup;
mod operator;
mod reset;
mod resets;

use clap::{ArgMatches, Command};

use crate::failure::Failure;
pub(crate) use export_file::ExportFileError;

pub(crate) const NAME: &str = "directory";
pub(crate) const ABOUT: &str = "Look up keys; as an operator export, import and reset them";

/// Text below the help: the subcommands and their exit codes.
pub(crate) const HINTS: &str = "\
lookup asks a server, as any client can. The others use the data folder of your
own server, running or stopped. Run them as the user of the server:

  securecall directory lookup alice --server wss://example.org/signal
      Show the key that the server returns, and whether it is the known one
  securecall directory reset alice
      She lost her device: accept the next key that is registered for alice
  securecall directory resets
      List the resets that wait for an objection
  securecall directory history alice
      Show the chain of her identity
  securecall directory export keys.jsonl
      A backup of all public keys
  securecall directory import keys.jsonl
      Import all of them into the directory of another server, or none

Exit codes: 0 success, 1 failure or a missing key, 2 the command line, the
configuration or the file is invalid, 3 (lookup) a key is not the known one.";

/// Adds the subcommands.
pub(crate) fn with_options(command: Command) -> Command {
    command
        .subcommand_required(true)
        .subcommand(lookup::command())
        .subcommand(export::command())
        .subcommand(import::command())
        .subcommand(reset::command())
        .subcommand(resets::command())
        .subcommand(history::command())
}

/// Runs the subcommand.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    match flags.subcommand() {
        Some((lookup::NAME, flags)) => lookup::run(flags),
        Some((export::NAME, flags)) => export::run(flags),
        Some((import::NAME, flags)) => import::run(flags),
        Some((reset::NAME, flags)) => reset::run(flags),
        Some((resets::NAME, flags)) => resets::run(flags),
        Some((history::NAME, flags)) => history::run(flags),
        _ => Ok(()),
    }
}
