//! `securecall directory export`: writes all records as JSON Lines.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use securecall_server::operator::{Operator, OperatorError};

use super::export_file::ExportFile;
use super::operator;
use crate::failure::Failure;

pub(super) const NAME: &str = "export";

const FILE: &str = "file";

const HINTS: &str = "\
Writes one line for each id, in the order of the ids, with the key as it is stored:

  {\"clientId\":\"alice\",\"publicKey\":\"…\"}

The export is a snapshot of one moment. A file is created with mode 600, appears
only when it is complete, and never overwrites another one. It contains the ids of
all clients.

  securecall directory export keys.jsonl
  securecall directory export | jq -r .clientId | wc -l";

pub(super) fn command() -> Command {
    let file = Arg::new(FILE)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("New file to write [default: standard output]");
    operator::command(NAME, "Write all ids and keys of a server as JSON Lines")
        .arg(file)
        .after_help(HINTS)
}

pub(super) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let settings = operator::settings(flags)?;
    let file = flags.get_one::<PathBuf>(FILE).filter(|path| path.as_os_str() != OsStr::new("-"));
    let records = match file {
        None => to_standard_output(&mut operator::open(&settings)?)?,
        Some(path) => {
            let mut file = ExportFile::create(path).map_err(Failure::Export)?;
            let mut operator = operator::open(&settings)?;
            let records = operator.export(&mut file).map_err(Failure::Operator)?;
            file.finish().map_err(Failure::Export)?;
            records
        }
    };
    let records = usize::try_from(records).unwrap_or(usize::MAX);
    operator::print_message(&operator::counted(records, "record exported", "records exported"))
}

fn to_standard_output(operator: &mut Operator) -> Result<u64, Failure> {
    operator.export(&mut io::stdout().lock()).map_err(|error| match error {
        OperatorError::NotWritten(error) => Failure::Output(error),
        other => Failure::Operator(other),
    })
}
