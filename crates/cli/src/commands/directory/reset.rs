//! `securecall directory reset`: removes keys, so that the next ones are accepted.

use std::io::{self, Write as _};

use clap::{Arg, ArgAction, ArgMatches, Command};
use securecall_protocol::ClientId;
use securecall_server::directory::Reset;

use super::operator;
use crate::failure::Failure;

pub(super) const NAME: &str = "reset";

const CLIENT_IDS: &str = "client_ids";
const CANCEL: &str = "cancel";

const HINTS: &str = "\
The first key of an id is pinned, and another one gets KEY_PINNED. After a reset
the next key that is registered for the id is accepted and pinned; clients that
have called alice before are warned that her key has changed.

Whoever registers first gets the id. Make sure that it is alice who asks you, and
let her new device connect before the reset: that disconnects the old one.

  securecall directory reset alice
  securecall directory reset alice --data-dir /var/lib/securecall

An id that is bound to an identity is reset after a delay, because its owner may
still have it: 72 hours during which the server runs, by default. Any link that the
owner signs in that time is a veto. An id that begins with sc- and has a chain
cannot be reset.

  securecall directory resets
      List the pending resets
  securecall directory reset --cancel alice
      Withdraw the reset: it was not alice who asked

An id that cannot be reset is reported, and the exit code is 1; the others are
reset nevertheless.";

pub(super) fn command() -> Command {
    let client_ids = Arg::new(CLIENT_IDS)
        .value_name("CLIENT_ID")
        .required(true)
        .num_args(1..)
        .action(ArgAction::Append)
        .value_parser(|text: &str| ClientId::try_from(text))
        .help("Client ids whose keys are removed");
    let cancel = Arg::new(CANCEL)
        .long(CANCEL)
        .action(ArgAction::SetTrue)
        .help("Withdraw pending resets instead");
    operator::command(NAME, "Remove keys, so that the next ones are accepted")
        .mut_arg("identity.reset_delay", |arg| arg.hide(false))
        .arg(client_ids)
        .arg(cancel)
        .after_help(HINTS)
}

pub(super) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let settings = operator::settings(flags)?;
    let ids: Vec<ClientId> = flags.get_many(CLIENT_IDS).into_iter().flatten().cloned().collect();
    let mut operator = operator::open(&settings)?;
    if flags.get_flag(CANCEL) {
        let had_reset = operator.cancel_resets(&ids).map_err(Failure::Operator)?;
        let results: Vec<_> = had_reset.iter().map(|had_reset| cancelled(*had_reset)).collect();
        return report(&ids, results, Failure::NoResetToCancel);
    }
    let resets = operator.reset(&ids).map_err(Failure::Operator)?;
    report(&ids, resets.iter().map(done).collect(), Failure::NothingToReset)
}

/// The text for an id, and whether it is the wanted result.
type Outcome = (String, bool);

fn report(
    ids: &[ClientId],
    results: Vec<Outcome>,
    failure: fn(usize) -> Failure,
) -> Result<(), Failure> {
    let mut text = String::new();
    for (id, (what, _)) in ids.iter().zip(&results) {
        text.push_str(&format!("{}: {what}\n", id.as_str()));
    }
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    match results.iter().filter(|(_, is_done)| !is_done).count() {
        0 => Ok(()),
        without => Err(failure(without)),
    }
}

fn done(reset: &Reset) -> Outcome {
    match reset {
        Reset::Done => ("reset".to_owned(), true),
        Reset::Pending { seconds } => {
            let waits = operator::waits(*seconds);
            (format!("bound to an identity: reset in {waits}, unless its owner vetoes it"), true)
        }
        Reset::Nothing => ("had no key".to_owned(), false),
        Reset::Certified => ("cannot be reset: only its own keys change it".to_owned(), false),
        Reset::Ended => ("cannot be reset: its owner has ended it".to_owned(), false),
    }
}

fn cancelled(had_reset: bool) -> Outcome {
    let what = if had_reset { "reset withdrawn" } else { "had no pending reset" };
    (what.to_owned(), had_reset)
}
