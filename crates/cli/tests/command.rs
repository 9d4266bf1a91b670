//! Tests of the command as users see it: output and exit codes.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread;

/// Runs the command in an empty folder, with no environment but these variables.
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

/// Checks for one line on standard error, and exit code 2.
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
fn check_config_prints_the_effective_settings_without_secrets() {
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
fn help_shows_no_paths_of_the_source() {
    for command in ["serve", "check-config", "turn credential", "directory export"] {
        let arguments: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let output =
            Command::new(env!("CARGO_BIN_EXE_securecall")).args(&arguments).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !help.contains("::"), "{command}: {help}");
    }
}

#[test]
fn missing_arguments_are_named_with_the_usage() {
    let says = |arguments: &[&str], says| assert_refused(&securecall(arguments, &[]), says);
    says(&["call"], "CLIENT_ID is missing: securecall call CLIENT_ID");
    says(&["keys", "new"], "CLIENT_ID is missing: securecall keys new CLIENT_ID");
    says(&["probe"], "URL is missing: securecall probe URL");
    says(&["directory", "lookup"], "CLIENT_ID");
    says(&["completions"], "SHELL is missing: securecall completions SHELL");
}

#[test]
fn an_invalid_value_is_answered_with_the_valid_ones() {
    let says = |arguments: &[&str], says| assert_refused(&securecall(arguments, &[]), says);
    says(&["completions", "csh"], "is not one of bash, elvish, fish, powershell, zsh");
    says(&["call", "bob", "--ring-timeout", "soon"], "--ring-timeout DURATION: \"soon\": ");
    says(&["call", "b b"], "CLIENT_ID: \"b b\": a client id is");
    says(&["call", "a", "b"], "see securecall call --help");
    says(&["keys", "neww"], "did you mean new?");
    says(&["keys", "zzz"], "after securecall keys comes one of new, show, backup, restore");
}

#[test]
fn an_invalid_number_or_duration_gets_its_rule_and_not_the_words_of_a_parser() {
    let says = |arguments: &[&str], says| assert_refused(&securecall(arguments, &[]), says);
    says(&["listen", "--file-bytes-max", "abc"], "\"abc\": must be a whole number");
    says(&["listen", "--file-bytes-max", &"9".repeat(30)], "the number is too large");
    says(&["load", "relay", "--rate", "x"], "\"x\": must be a number");
    says(&["load", "idle", "--duration", "5"], "\"5\": must be a duration such as 500ms, 25s");
    says(&["load", "idle", "--source-addresses", "x"], "\"x\": must be an IP address");
    says(&["serve", "--message-bytes-max", "abc"], "\"abc\": must be a number from 2048 to");
    says(&["serve", "--ping-after", "5"], "\"5\": must be a duration with its unit, from 100ms");
}

#[test]
fn the_help_of_help_is_the_help() {
    let help = text(&securecall(&["--help"], &[]).stdout).to_owned();
    assert_eq!(text(&securecall(&["help", "--help"], &[]).stdout), help);
    let of_keys = text(&securecall(&["keys", "--help"], &[]).stdout).to_owned();
    assert_eq!(text(&securecall(&["keys", "help", "--help"], &[]).stdout), of_keys);
    // A client may have the id `help`.
    assert!(text(&securecall(&["call", "help", "--help"], &[]).stdout).contains("call [OPTIONS]"));
}

/// Starts a program that answers one connection with `answer`, and returns its port.
fn answering(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        // A socket that is closed with bytes unread is reset, before the answer is read.
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        socket.write_all(answer).unwrap();
    });
    port
}

#[test]
fn health_names_a_port_of_another_protocol() {
    // The TLS alert `unexpected_message`, and no answer at all.
    for answer in [&b"\x15\x03\x03\x00\x02\x02\x0a"[..], b""] {
        let url = format!("http://127.0.0.1:{}", answering(answer));
        let output = securecall(&["health", &url], &[]);
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr);
        assert!(error.contains("the answer is not HTTP") && error.contains("https://"), "{error}");
    }
}

#[test]
fn a_command_without_its_subcommand_shows_its_help() {
    for (command, names) in [
        ("keys", "new, show, backup, restore"),
        ("directory", "lookup, export, import, reset, resets, history"),
        ("turn", "credential"),
        ("load", "idle, relay, calls, storm, offers"),
    ] {
        let output = securecall(&[command], &[]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        let says = format!("error: after securecall {command} one of these is missing: {names}\n");
        assert!(error.starts_with(&says), "{error}");
        assert!(error.contains(&format!("Usage: securecall {command} <COMMAND>")), "{error}");
    }
}

/// Returns all commands and subcommands.
fn commands_of(help: &str) -> Vec<String> {
    let listed = help.split_once("Commands:\n").map_or("", |(_, after)| after);
    let listed = listed.split("\n\n").next().unwrap_or_default().lines();
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_help_of_each_command_has_an_example() {
    let help = |path: &[String]| {
        let arguments: Vec<_> = path.iter().map(String::as_str).chain(["--help"]).collect();
        text(&securecall(&arguments, &[]).stdout).to_owned()
    };
    let mut paths: Vec<_> = commands_of(&help(&[])).into_iter().map(|name| vec![name]).collect();
    let mut seen = 0;
    while let Some(path) = paths.pop() {
        let shown = help(&path);
        let (usage, rest) = shown.split_once("Usage:").unwrap();
        let example = format!("securecall {}", path.join(" "));
        assert!(rest.lines().skip(1).any(|line| line.contains(&example)), "{example}: {usage}");
        paths.extend(commands_of(&shown).into_iter().map(|name| [&path[..], &[name]].concat()));
        seen += 1;
    }
    assert!(seen > 20, "{seen} commands");
}
