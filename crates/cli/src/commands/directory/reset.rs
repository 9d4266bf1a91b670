//! `securecall directory reset`: removes the keys of client ids, so that others can be registered.

use std::io::{self, Write as _};

use clap::{Arg, ArgAction, ArgMatches, Command};
use securecall_protocol::ClientId;

use super::operator;
use crate::failure::Failure;

pub(super) const NAME: &str = "reset";

const CLIENT_IDS: &str = "client_ids";

const HINTS: &str = "\
The first key of an id is pinned, and another one gets KEY_PINNED. After a reset
the next key that is registered for the id is accepted and pinned; clients that
have called alice before are warned that her key has changed.

Whoever registers first gets the id. Make sure that it is alice who asks you, and
let her new device connect before the reset: that disconnects the old one.

  securecall directory reset alice
  securecall directory reset alice --data-dir /var/lib/securecall

An id without a key is reported, and the exit code is 1; the others are reset
nevertheless.";

pub(super) fn command() -> Command {
    let client_ids = Arg::new(CLIENT_IDS)
        .value_name("CLIENT_ID")
        .required(true)
        .num_args(1..)
        .action(ArgAction::Append)
        .value_parser(|text: &str| ClientId::try_from(text))
        .help("Client ids whose keys are removed");
    operator::command(NAME, "Remove keys, so that the next ones are accepted")
        .arg(client_ids)
        .after_help(HINTS)
}

pub(super) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let settings = operator::settings(flags)?;
    let ids: Vec<ClientId> = flags.get_many(CLIENT_IDS).into_iter().flatten().cloned().collect();
    let had_key = operator::open(&settings)?.reset(&ids).map_err(Failure::Operator)?;
    let mut text = String::new();
    for (id, had_key) in ids.iter().zip(&had_key) {
        let what = if *had_key { "reset" } else { "had no key" };
        text.push_str(&format!("{}: {what}\n", id.as_str()));
    }
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    match had_key.iter().filter(|had_key| !**had_key).count() {
        0 => Ok(()),
        without => Err(Failure::NothingToReset(without)),
    }
}
