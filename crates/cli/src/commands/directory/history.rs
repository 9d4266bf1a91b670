//! `securecall directory history`: shows the chain of an id.

use std::io::{self, Write as _};

use clap::{Arg, ArgMatches, Command};
use securecall_protocol::ClientId;
use securecall_server::operator::{History, LinkLine};

use super::operator;
use crate::failure::Failure;

pub(super) const NAME: &str = "history";

const CLIENT_ID: &str = "client_id";

const HINTS: &str = "\
The output has a line for each link: epoch and sequence number, the time that its
maker wrote into it, its kind, and its hash. Below an inception is the fingerprint,
which is valid until a reset. No keys are shown.

  securecall directory history alice

The exit code is 1 if the id has no chain.";

pub(super) fn command() -> Command {
    let client_id = Arg::new(CLIENT_ID)
        .value_name("CLIENT_ID")
        .required(true)
        .value_parser(|text: &str| ClientId::try_from(text))
        .help("Client id whose chain is shown");
    operator::command(NAME, "Show the chain of an id that is bound to an identity")
        .arg(client_id)
        .after_help(HINTS)
}

pub(super) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let settings = operator::settings(flags)?;
    let Some(id) = flags.get_one::<ClientId>(CLIENT_ID) else { return Ok(()) };
    let history = operator::open(&settings)?.history(id).map_err(Failure::Operator)?;
    if history.links.is_empty() {
        return Err(Failure::NoChain(id.as_str().to_owned()));
    }
    io::stdout().write_all(shown(&history).as_bytes()).map_err(Failure::Output)
}

fn shown(history: &History) -> String {
    let mut text = String::new();
    for LinkLine { epoch, sequence, kind, time, hash, fingerprint } in &history.links {
        let time = operator::moment(*time);
        text.push_str(&format!("{epoch}.{sequence:<3} {time}  {kind:<9}  {hash}\n"));
        if let Some(fingerprint) = fingerprint {
            text.push_str(&format!("      fingerprint {fingerprint}\n"));
        }
    }
    if let Some(reset) = &history.reset {
        let (left, asked) = (operator::waits(reset.left_seconds), operator::moment(reset.asked_at));
        text.push_str(&format!("a reset is pending: {left} left, asked for at {asked}\n"));
    }
    text
}
