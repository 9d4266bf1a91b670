//! Errors of the command line: what is missing or invalid, and what to type instead.

use std::ffi::OsString;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use securecall_server::settings::{SettingsError, takes_settings};

use crate::failure::Failure;

/// Explains why a command line is refused. The first of `arguments` is the program.
pub(crate) fn refused(root: &Command, arguments: &[OsString], error: Error) -> Failure {
    let (mut command, path) = named(root, arguments);
    match error.kind() {
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let help = command.render_help();
            let which = subcommands(&command).join(", ");
            Failure::Usage(format!("after {path} one of these is missing: {which}\n\n{help}"))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = list(&error, ContextKind::InvalidArg).join(" and ");
            let is = if missing.contains(" and ") { "are" } else { "is" };
            let missing = plain(&missing).replace("...", "");
            Failure::Usage(format!("{missing} {is} missing: {}", usage(&error, &path)))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation
            if !takes_settings(&command) || !is_option(&error) =>
        {
            Failure::Usage(value(&error, &path))
        }
        ErrorKind::InvalidSubcommand if suggestion(&error).is_none() => {
            let which = subcommands(&command).join(", ");
            Failure::Usage(format!("{}: after {path} comes one of {which}", first_line(&error)))
        }
        ErrorKind::UnknownArgument if suggestion(&error).is_none() => {
            Failure::Usage(format!("{}: see {path} --help", first_line(&error)))
        }
        _ => SettingsError::from(error).into(),
    }
}

/// Returns the innermost command that the arguments name, and its full name.
fn named(root: &Command, arguments: &[OsString]) -> (Command, String) {
    let mut root = root.clone();
    // Completes the usage strings and the help.
    root.build();
    let (mut command, mut path) = (&root, "securecall".to_owned());
    for argument in arguments.iter().skip(1) {
        let Some(next) = argument.to_str().and_then(|name| command.find_subcommand(name)) else {
            break;
        };
        path = format!("{path} {}", next.get_name());
        command = next;
    }
    (command.clone(), path)
}

fn subcommands(command: &Command) -> Vec<&str> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(Command::get_name).filter(|name| *name != "help").collect()
}

/// Returns true if the error is about a `--` flag, as all settings are.
fn is_option(error: &Error) -> bool {
    list(error, ContextKind::InvalidArg).iter().any(|argument| argument.starts_with("--"))
}

/// Describes an invalid value, and lists the valid ones.
fn value(error: &Error, path: &str) -> String {
    let argument = plain(&list(error, ContextKind::InvalidArg).join(" "));
    // clap writes an optional argument in brackets.
    let optional = argument.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let argument = optional.unwrap_or(&argument);
    let given = list(error, ContextKind::InvalidValue).join(" ");
    let choices = list(error, ContextKind::ValidValue);
    match std::error::Error::source(error) {
        _ if given.is_empty() => format!("{argument} has no value: see {path} --help"),
        Some(cause) => format!("{argument}: {given:?}: {}", rule(cause)),
        None if choices.is_empty() => format!("{argument}: {given:?}: see {path} --help"),
        None => format!("{argument}: {given:?} is not one of {}", choices.join(", ")),
    }
}

/// Returns the rule that a value breaks. The errors of the standard library describe its parsers.
fn rule(cause: &(dyn std::error::Error + 'static)) -> String {
    if let Some(number) = cause.downcast_ref::<ParseIntError>() {
        let is_too_large = *number.kind() == IntErrorKind::PosOverflow;
        let rule = if is_too_large { "the number is too large" } else { "must be a whole number" };
        return rule.to_owned();
    }
    if cause.is::<ParseFloatError>() {
        return "must be a number".to_owned();
    }
    if cause.is::<AddrParseError>() {
        return "must be an IP address".to_owned();
    }
    cause.to_string()
}

/// Returns the usage of the command, as clap reports it with the error.
fn usage(error: &Error, path: &str) -> String {
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    match usage.trim().strip_prefix("Usage: ") {
        Some(usage) => plain(usage),
        None => format!("see {path} --help"),
    }
}

fn suggestion(error: &Error) -> Option<Vec<String>> {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    kinds.iter().map(|kind| list(error, *kind)).find(|names| !names.is_empty())
}

fn list(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// Removes the angle brackets, which are not to be typed.
fn plain(text: &str) -> String {
    text.replace(['<', '>'], "")
}

fn first_line(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
