//! `securecall directory`: whose key is which. One looks up as everybody can; the others are for the
//! operator of a server, whose data folder they use.

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
pub(crate) const ABOUT: &str = "Look keys up; as an operator export, import and reset them";

/// What there is.
pub(crate) const HINTS: &str = "\
lookup asks a server, as every client can. The others work on the data folder of
a server of your own, whether it runs or not, as the user that it runs as:

  securecall directory lookup alice --server wss://example.org/signal
      Which key does the server give out, and is it the one I know?
  securecall directory reset alice
      She lost her device: the next key that is registered for alice is taken
  securecall directory resets
      Which resets wait for an objection?
  securecall directory history alice
      What happened to her identity, and when?
  securecall directory export keys.jsonl
      A backup of all public keys
  securecall directory import keys.jsonl
      All of it into another server's directory, or nothing

Exit codes: 0 success, 1 it failed or something was not there, 2 the command
line, the configuration or the file is wrong, 3 (lookup) a key is another one
than remembered.";

/// The command with its options.
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

/// Does one of them.
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
