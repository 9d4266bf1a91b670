//! Commands that this build leaves out. Help lists them with the feature that adds them.

use std::ffi::OsString;
use std::fmt;

use clap::{Arg, Command, value_parser};

/// A command that this build leaves out, because it lacks the feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnavailableCommand {
    name: &'static str,
    about: &'static str,
    feature: &'static str,
}

/// The commands that this build leaves out; empty in a build with all features.
const UNAVAILABLE: &[UnavailableCommand] = &[
    #[cfg(not(feature = "terminal"))]
    UnavailableCommand {
        name: "call",
        about: "Call a client: chat and files",
        feature: "terminal",
    },
    #[cfg(not(feature = "terminal"))]
    UnavailableCommand { name: "listen", about: "Wait to be called", feature: "terminal" },
    #[cfg(not(feature = "terminal"))]
    UnavailableCommand { name: "probe", about: "Test a server", feature: "terminal" },
    #[cfg(not(feature = "load"))]
    UnavailableCommand { name: "load", about: "Put a server under load", feature: "load" },
];

/// Returns the unavailable commands, for the command line.
pub(crate) fn commands() -> impl Iterator<Item = Command> {
    UNAVAILABLE.iter().map(UnavailableCommand::command)
}

/// Returns the unavailable command of this name, or `None` if this build has the command.
pub(crate) fn find(name: &str) -> Option<UnavailableCommand> {
    UNAVAILABLE.iter().find(|unavailable| unavailable.name == name).copied()
}

impl UnavailableCommand {
    fn command(&self) -> Command {
        let Self { name, about, feature } = self;
        // All arguments are accepted, `--help` too, so that the answer always names the feature.
        let rest = Arg::new("rest")
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(true)
            .value_parser(value_parser!(OsString))
            .hide(true);
        Command::new(*name)
            .about(format!("{about} (not in this build: needs the feature {feature})"))
            .disable_help_flag(true)
            .arg(rest)
    }
}

impl fmt::Display for UnavailableCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, feature, .. } = self;
        write!(
            f,
            "this build has no {name}, which needs the feature {feature}: in the folder of the \
             source, cargo install --locked --path crates/cli --features {feature}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DANCE: UnavailableCommand =
        UnavailableCommand { name: "dance", about: "Dance", feature: "music" };

    #[test]
    fn any_arguments_of_an_unavailable_command_are_accepted() {
        for rest in [&["dance"][..], &["dance", "--help"], &["dance", "bob", "--send", "a b", "--"]]
        {
            let parsed = Command::new("securecall")
                .subcommand(DANCE.command())
                .try_get_matches_from([&["securecall"], rest].concat());
            assert_eq!(parsed.unwrap().subcommand_name(), Some("dance"));
        }
    }

    #[test]
    fn it_names_the_feature_in_help_and_the_command_that_gets_it_when_run() {
        assert!(DANCE.command().get_about().unwrap().to_string().contains("feature music"));
        let said = DANCE.to_string();
        assert!(said.contains("has no dance"));
        assert!(said.ends_with("cargo install --locked --path crates/cli --features music"));
    }

    #[test]
    fn each_unavailable_command_is_on_the_command_line() {
        let line = crate::command_line::command();
        for unavailable in UNAVAILABLE {
            let command = line.find_subcommand(unavailable.name).unwrap();
            assert_eq!(command.get_about(), unavailable.command().get_about());
        }
    }
}
