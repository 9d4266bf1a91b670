//! `securecall completions`: prints a completion script for a shell.

use std::io::{self, Write as _};

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use clap_complete::Shell;

use crate::command_line;
use crate::failure::Failure;

pub(crate) const NAME: &str = "completions";
pub(crate) const ABOUT: &str = "Print a script that completes commands and flags in a shell";

/// Text below the help: the folders in which shells look for completions.
pub(crate) const HINTS: &str = "\
bash   securecall completions bash > ~/.local/share/bash-completion/completions/securecall
zsh    securecall completions zsh > a folder of $fpath, named _securecall
fish   securecall completions fish > ~/.config/fish/completions/securecall.fish";

#[derive(Debug, Args)]
struct Completions {
    /// The shell
    shell: Shell,
}

/// Adds the flags of the command.
pub(crate) fn with_options(command: Command) -> Command {
    Completions::augment_args(command)
}

/// Prints the completion script.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let Completions { shell } = Completions::from_arg_matches(flags)?;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line::command(), "securecall", &mut script);
    io::stdout().write_all(&script).map_err(Failure::Output)
}
