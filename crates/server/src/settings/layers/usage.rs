//! Errors of the command-line parser, in one line.

use std::error::Error as _;
use std::ffi::OsStr;

use clap::error::{ContextKind, ContextValue, Error};

use crate::settings::declaration::{Declaration, declarations};
use crate::settings::{Origin, SettingsError};

/// Describes an invalid value of a setting.
pub(crate) fn invalid(
    error: &Error,
    declaration: &Declaration,
    text: &OsStr,
    origin: Origin,
) -> SettingsError {
    let reason = reason(error, declaration);
    // For a list, the reason names the invalid item already.
    let reason = if declaration.is_list { reason } else { format!("{text:?}: {reason}") };
    SettingsError::Invalid { setting: declaration.key.clone(), origin, reason }
}

fn reason(error: &Error, declaration: &Declaration) -> String {
    match error.source() {
        Some(cause) => cause.to_string(),
        None if !declaration.choices.is_empty() => {
            format!("must be one of {}", declaration.choices.join(", "))
        }
        None => first_line(error),
    }
}

/// Converts an error of the command line.
impl From<Error> for SettingsError {
    fn from(error: Error) -> Self {
        let Some(declaration) = setting_of(&error) else {
            return Self::CommandLine(with_suggestion(&error));
        };
        let origin = Origin::Flag(format!("--{}", declaration.flag));
        let value = context(&error, ContextKind::InvalidValue).unwrap_or_default();
        invalid(&error, &declaration, OsStr::new(&value), origin)
    }
}

/// Returns the setting whose value is invalid, or `None` if the error is about something else.
fn setting_of(error: &Error) -> Option<Declaration> {
    let value = context(error, ContextKind::InvalidValue)?;
    if value.is_empty() {
        return None;
    }
    let argument = context(error, ContextKind::InvalidArg)?;
    let flag = argument.split_whitespace().next()?.strip_prefix("--")?.to_owned();
    declarations().into_iter().find(|declaration| declaration.flag == flag)
}

fn context(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

fn with_suggestion(error: &Error) -> String {
    let suggested = context(error, ContextKind::SuggestedArg)
        .or_else(|| context(error, ContextKind::SuggestedSubcommand));
    match suggested {
        Some(name) => format!("{}: did you mean {name}?", first_line(error)),
        None => format!("{}: see --help", first_line(error)),
    }
}

fn first_line(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
