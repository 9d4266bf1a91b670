//! `securecall directory reset`: frees ids for other keys.

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
The first key stays, and another one gets KEY_PINNED. After a reset the next key
that is registered for the id is taken, and stays; whoever has called alice before
is warned that her key is another one.

Whoever registers first has it. Be sure that it is alice who asks you, and have
her new device connect before you reset: that ends the connection of the old one.

  securecall directory reset alice
  securecall directory reset alice --data-dir /var/lib/securecall

An id that is bound to an identity is not reset at once: the owner may still have
it. The reset waits (72 hours of the server's running time, by default), and any
link that the owner signs meanwhile ends it. An id that begins with sc- and has a
chain cannot be reset at all.

  securecall directory resets
      Which resets wait?
  securecall directory reset --cancel alice
      It was not alice who asked

An id for which nothing could be done is named, and the exit code is 1; the others
are reset all the same.";

pub(super) fn command() -> Command {
    let client_ids = Arg::new(CLIENT_IDS)
        .value_name("CLIENT_ID")
        .required(true)
        .num_args(1..)
        .action(ArgAction::Append)
        .value_parser(|text: &str| ClientId::try_from(text))
        .help("Whose keys are forgotten");
    let cancel = Arg::new(CANCEL)
        .long(CANCEL)
        .action(ArgAction::SetTrue)
        .help("Withdraw resets that wait, instead");
    operator::command(NAME, "Forget keys, so that the next ones are taken")
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

/// What became of an id, and whether that was wanted.
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
        Reset::Waits { seconds } => {
            let waits = operator::waits(*seconds);
            (format!("bound to an identity: will be reset in {waits}, unless its owner objects"), true)
        }
        Reset::Nothing => ("had no key".to_owned(), false),
        Reset::Certified => ("cannot be reset: it follows from its owner's key".to_owned(), false),
        Reset::Ended => ("cannot be reset: its owner has ended it".to_owned(), false),
    }
}

fn cancelled(had_reset: bool) -> Outcome {
    let what = if had_reset { "the reset is withdrawn" } else { "no reset waits" };
    (what.to_owned(), had_reset)
}
