//! `securecall directory import`: imports records into a directory, all or none.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use securecall_core::directory::Replacement;
use securecall_server::directory::{Import, ImportError, Imported};

use super::operator;
use crate::failure::Failure;

pub(super) const NAME: &str = "import";

const FILE: &str = "file";
const REPLACE: &str = "replace";
const CREATE: &str = "create";

const HINTS: &str = "\
Every line is checked first. Then all records are imported, or none. Records that
exist with the same key are unchanged. An id that has another key is a conflict,
and nothing is imported, unless --replace is given. After that, calls to that id
are encrypted to the key of the file.

A chain is verified to its last signature. It is taken if its id has none, or if it
goes on from the one that is there. One that is older, or another one, is refused,
and --replace does not change that.

  securecall directory import keys.jsonl
  ssh old.example.org securecall directory export | securecall directory import -

A running server accepts up to 64 MiB at once. During the import registrations
wait; calls and lookups do not.";

pub(super) fn command() -> Command {
    let file = Arg::new(FILE)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("File written by securecall directory export [default: - for standard input]");
    let replace = Arg::new(REPLACE)
        .long(REPLACE)
        .action(ArgAction::SetTrue)
        .help("Replace existing keys of the same ids");
    let create = Arg::new(CREATE)
        .long(CREATE)
        .action(ArgAction::SetTrue)
        .help("Create the data folder and its directory if they do not exist");
    operator::command(NAME, "Import ids and keys from JSON Lines into a server's directory")
        .mut_arg("directory.key_bytes_max", |arg| arg.hide(false))
        .arg(file)
        .arg(replace)
        .arg(create)
        .after_help(HINTS)
}

pub(super) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let settings = operator::settings(flags)?;
    let replacement =
        if flags.get_flag(REPLACE) { Replacement::Allowed } else { Replacement::Refused };
    let path = flags.get_one::<PathBuf>(FILE).filter(|path| path.as_os_str() != OsStr::new("-"));
    let lines = input(path)?;
    let import = Import::read(lines, settings.directory.key_bytes_max, replacement)
        .map_err(|error| not_read(path, error))?;
    let mut operator = if flags.get_flag(CREATE) {
        operator::create(&settings)?
    } else {
        operator::open(&settings)?
    };
    let imported = operator.import(&import).map_err(Failure::Operator)?;
    io::stdout().write_all(summary(imported).as_bytes()).map_err(Failure::Output)
}

fn input(path: Option<&PathBuf>) -> Result<Box<dyn BufRead>, Failure> {
    let Some(path) = path else {
        if io::stdin().is_terminal() {
            operator::print_message("reading records from standard input, until Ctrl-D")?;
        }
        return Ok(Box::new(BufReader::new(io::stdin())));
    };
    let file = File::open(path).map_err(|error| not_read(Some(path), error.into()))?;
    Ok(Box::new(BufReader::new(file)))
}

fn not_read(path: Option<&PathBuf>, error: ImportError) -> Failure {
    let file = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    Failure::Import { file, error }
}

fn summary(Imported { new, same, replaced, longer }: Imported) -> String {
    let longer = if longer == 0 { String::new() } else { format!(", {longer} with more links") };
    format!("{new} new, {same} unchanged, {replaced} replaced{longer}\n")
}
