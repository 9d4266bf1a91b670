//! The command as a user meets it: what it prints where, and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::process::{Command, Output};

/// The command in an empty folder, with nothing in its environment but these variables.
fn securecall(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_securecall"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// One line on standard error, and code 2.
#[track_caller]
fn assert_refused(output: &Output, says: &str) {
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(text(&output.stdout), "");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("error: ") && error.contains(says), "{says:?} is not in {error:?}");
}

#[test]
fn the_version_is_printed() {
    let output = securecall(&["--version"], &[]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), format!("securecall {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_names_the_commands_and_has_examples() {
    let output = securecall(&["--help"], &[]);
    assert!(output.status.success());
    let help = text(&output.stdout);
    for part in ["serve", "check-config", "Examples:", "--turn-preset metered"] {
        assert!(help.contains(part), "{part} is not in {help}");
    }
}

#[test]
fn a_wrong_configuration_ends_with_two_and_one_line_for_each_command() {
    for command in [&["serve"][..], &["check-config"], &[]] {
        let arguments = [command, &["--grace=soon"]].concat();
        assert_refused(&securecall(&arguments, &[]), "calls.grace (flag --grace)");
        assert_refused(&securecall(command, &[("PORT", "x")]), "environment PORT");
        assert_refused(&securecall(command, &[("SECURECALL_GRCE", "1s")]), "SECURECALL_GRACE?");
        assert_refused(&securecall(command, &[("SECURECALL_TURN_SECRET", "x")]), "turn.urls");
    }
}

#[test]
fn a_wrong_command_line_ends_with_two_and_one_line() {
    assert_refused(&securecall(&["sevre"], &[]), "did you mean serve?");
    assert_refused(&securecall(&["serve", "--liste=x"], &[]), "did you mean --listen?");
    assert_refused(&securecall(&["--liste=x"], &[]), "did you mean --listen?");
    assert_refused(&securecall(&["serve", "--grace"], &[]), "--grace");
    assert_refused(&securecall(&["serve", "--grace=1s", "--grace=2s"], &[]), "--grace");
}

#[test]
fn check_config_prints_what_counts_without_secrets() {
    let secret = [("SECURECALL_TURN_SECRET", "correct-horse")];
    let output = securecall(&["check-config", "--turn-preset=metered", "--grace=5s"], &secret);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let toml = text(&output.stdout);
    assert!(toml.contains("grace = \"5s\"  # flag --grace"));
    assert!(toml.contains("# the secret is set from environment SECURECALL_TURN_SECRET"));
    assert!(!toml.contains("correct-horse"));
    assert!(!text(&output.stderr).contains("correct-horse"));
}

#[test]
fn help_says_nothing_about_the_source() {
    for command in ["serve", "check-config", "turn credential", "directory export"] {
        let arguments: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let output =
            Command::new(env!("CARGO_BIN_EXE_securecall")).args(&arguments).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !help.contains("::"), "{command}: {help}");
    }
}
