//! `securecall man`: prints or writes the manual pages.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use clap_mangen::Man;

use crate::command_line;
use crate::failure::Failure;

pub(crate) const NAME: &str = "man";
pub(crate) const ABOUT: &str = "Print the manual page, or write a page for each command";

/// Text below the help: reading and installing the pages.
pub(crate) const HINTS: &str = "\
Read it       securecall man | man -l -
Install all   securecall man --out ~/.local/share/man/man1";

#[derive(Debug, Args)]
struct Pages {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Adds the flags of the command.
pub(crate) fn with_options(command: Command) -> Command {
    Pages::augment_args(command)
}

/// Prints one page, or writes all pages.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let Pages { out } = Pages::from_arg_matches(flags)?;
    match out {
        Some(folder) => write_all(&folder).map_err(|cause| Failure::Pages { folder, cause }),
        None => print().map_err(Failure::Output),
    }
}

/// Returns the commands that have a page; `help` has none.
fn command() -> Command {
    command_line::command().disable_help_subcommand(true)
}

fn print() -> io::Result<()> {
    let mut page = Vec::new();
    Man::new(command()).render(&mut page)?;
    io::stdout().write_all(&page)
}

fn write_all(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command(), folder)
}
