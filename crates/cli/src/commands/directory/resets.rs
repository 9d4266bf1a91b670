//! `securecall directory resets`: lists the pending resets.

use std::io::{self, Write as _};

use clap::{ArgMatches, Command};

use super::operator;
use crate::failure::Failure;

pub(super) const NAME: &str = "resets";

const HINTS: &str = "\
The reset of an id that is bound to an identity is pending for a delay, in which its
owner can veto it. Only time during which the server runs counts.

  securecall directory resets
  securecall directory reset --cancel alice";

pub(super) fn command() -> Command {
    operator::command(NAME, "List the pending resets").after_help(HINTS)
}

pub(super) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let settings = operator::settings(flags)?;
    let resets = operator::open(&settings)?.pending_resets().map_err(Failure::Operator)?;
    let mut text = String::new();
    for reset in &resets {
        let (left, asked) = (operator::waits(reset.left_seconds), operator::moment(reset.asked_at));
        text.push_str(&format!("{}: {left} left, asked for at {asked}\n", reset.client_id));
    }
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    operator::print_message(&operator::counted(resets.len(), "pending reset", "pending resets"))
}
