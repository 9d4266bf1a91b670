//! The command line: the commands, their help, and `serve` as the default command.

use std::ffi::{OsStr, OsString};

use clap::{ArgMatches, Command};
use securecall_server::settings::with_options;

#[cfg(feature = "load")]
use crate::commands::load;
#[cfg(feature = "terminal")]
use crate::commands::{call, listen, probe};
use crate::commands::{check_config, completions, directory, health, keys, man, serve, turn};
use crate::failure::Failure;
use crate::{unavailable, usage};

/// Parses a command line whose first item is the program. Returns `None` after help or the version
/// was printed.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Option<ArgMatches>, Failure> {
    let arguments = with_command(help_of_help(arguments));
    match command().try_get_matches_from(&arguments) {
        Ok(matches) => Ok(Some(matches)),
        Err(text) if !text.use_stderr() => text.print().map(|()| None).map_err(Failure::Output),
        Err(error) => Err(usage::refused(&command(), &arguments, error)),
    }
}

/// Returns true if this command line starts the server.
pub(crate) fn is_serve(arguments: &[OsString]) -> bool {
    with_command(arguments.to_vec()).get(1).is_some_and(|command| command == serve::NAME)
}

/// Returns the program with all its commands and flags.
pub(crate) fn command() -> Command {
    Command::new("securecall")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(examples())
        .subcommand(
            with_options(Command::new(serve::NAME))
                .about(serve::ABOUT)
                .after_help(format!("{}\n\n{LAYERS}", serve::EXAMPLES)),
        )
        .subcommand(
            check_config::with_options(Command::new(check_config::NAME))
                .about(check_config::ABOUT)
                .after_help(format!("{}\n\n{LAYERS}", check_config::EXAMPLES)),
        )
        .subcommands(of_the_terminal())
        .subcommand(
            keys::with_options(Command::new(keys::NAME)).about(keys::ABOUT).after_help(keys::HINTS),
        )
        .subcommand(
            health::with_options(Command::new(health::NAME))
                .about(health::ABOUT)
                .after_help(health::HINTS),
        )
        .subcommand(
            directory::with_options(Command::new(directory::NAME))
                .about(directory::ABOUT)
                .after_help(directory::HINTS),
        )
        .subcommand(
            turn::with_options(Command::new(turn::NAME))
                .about(turn::ABOUT)
                .after_help(turn::EXAMPLES),
        )
        .subcommands(of_load())
        .subcommand(
            completions::with_options(Command::new(completions::NAME))
                .about(completions::ABOUT)
                .after_help(completions::HINTS),
        )
        .subcommand(
            man::with_options(Command::new(man::NAME)).about(man::ABOUT).after_help(man::HINTS),
        )
        .subcommands(unavailable::commands())
}

#[cfg(feature = "terminal")]
fn of_the_terminal() -> [Command; 3] {
    [
        call::with_options(Command::new(call::NAME)).about(call::ABOUT).after_help(call::HINTS),
        listen::with_options(Command::new(listen::NAME))
            .about(listen::ABOUT)
            .after_help(listen::HINTS),
        probe::with_options(Command::new(probe::NAME)).about(probe::ABOUT).after_help(probe::HINTS),
    ]
}

#[cfg(not(feature = "terminal"))]
const fn of_the_terminal() -> [Command; 0] {
    []
}

#[cfg(feature = "load")]
fn of_load() -> [Command; 1] {
    [load::with_options(Command::new(load::NAME)).about(load::ABOUT).after_help(load::HINTS)]
}

#[cfg(not(feature = "load"))]
const fn of_load() -> [Command; 0] {
    []
}

/// Inserts `serve` where no command is named: `securecall --listen …` is `securecall serve --listen
/// …`.
fn with_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    const OF_THE_PROGRAM: [&str; 4] = ["--help", "-h", "--version", "-V"];
    let first = arguments.get(1).map(OsString::as_os_str);
    let is_flag_of_serve = first.is_none_or(|first| {
        first.as_encoded_bytes().starts_with(b"-")
            && !OF_THE_PROGRAM.map(OsStr::new).contains(&first)
    });
    if is_flag_of_serve {
        arguments.insert(arguments.len().min(1), serve::NAME.into());
    }
    arguments
}

/// Removes `--help` after `help`, where clap would take it for the name of a command.
fn help_of_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let name = |at: usize| arguments.get(at).and_then(|argument| argument.to_str());
    let has_commands = |name: &str| {
        command().find_subcommand(name).is_some_and(|command| command.has_subcommands())
    };
    let is_help =
        name(1) == Some("help") || (name(2) == Some("help") && name(1).is_some_and(has_commands));
    if is_help {
        arguments.retain(|argument| argument != "--help" && argument != "-h");
    }
    arguments
}

const ABOUT: &str = "SecureCall signaling: brings the two ends of a WebRTC call together";

/// Returns the examples of the commands in this build.
fn examples() -> String {
    let of_the_terminal = if cfg!(feature = "terminal") { EXAMPLES_OF_THE_TERMINAL } else { "" };
    let of_load = if cfg!(feature = "load") { EXAMPLES_OF_LOAD } else { "" };
    [EXAMPLES, of_the_terminal, of_load].concat()
}

const EXAMPLES: &str = "\
Without a command, securecall serves.

Examples:
  securecall
      Serve on port 8080, with the data in ./securecall-data
  securecall serve --listen 127.0.0.1:9000 --log debug
      Serve only this machine, with a more detailed log
  SECURECALL_TURN_SECRET=… securecall serve --turn-preset metered
      Give clients credentials for a TURN service
  securecall check-config --config securecall.toml
      Show the effective settings and their origins; exit code 2 if one is invalid
  securecall check-config --print > securecall.toml
      Write a file with every setting, to be edited
  securecall keys new alice
      Create an identity; securecall keys show shows its fingerprint
  securecall directory reset alice
      She has a new device: accept the next key that is registered for alice";

const EXAMPLES_OF_THE_TERMINAL: &str = "
  securecall listen --server wss://example.org/signal
      Wait for calls, and /call others; elsewhere: securecall call alice --server …
  securecall probe wss://example.org/signal
      Test that server: a whole call, the protocol's rules, its TURN servers";

const EXAMPLES_OF_LOAD: &str = "
  securecall load relay --url ws://127.0.0.1:8080/signal
      Measure the messages per second that a server relays, and their latency";

const LAYERS: &str = "\
Each setting can be set in three places; a later one overrides an earlier one:
  the TOML file     [limits] ping_after = \"25s\"
  the environment   SECURECALL_PING_AFTER=25s: SECURECALL_ and the flag
  a flag            --ping-after 25s
The TOML file is the one of --config, or else of SECURECALL_CONFIG, or else
/etc/securecall/securecall.toml if it exists. SECURECALL_CONFIG= means no file.

The variable PORT replaces the port of --listen, unless that is given as a flag.

The TURN secret has no flag: set SECURECALL_TURN_SECRET, or --turn-secret-file.

Durations are written 500ms, 25s, 5m, 1h. BURST/PER_SECOND is the number of
messages that may pass at once, and the number added each second.";
