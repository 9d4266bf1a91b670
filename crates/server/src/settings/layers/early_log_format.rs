//! The log format for the error of a refused configuration, as far as it can be determined.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::file;
use crate::settings::{CONFIG, CONFIG_VARIABLE, Environment, LogFormat};

const FLAG: &str = "log-format";
const VARIABLE: &str = "SECURECALL_LOG_FORMAT";
const KEY: &str = "log_format";
const JSON: &str = "json";

/// Returns the log format that this command line, environment and file ask for, even if other
/// values in them are invalid.
#[must_use]
pub fn requested_log_format(arguments: &[OsString], environment: &Environment) -> LogFormat {
    let named = flag(arguments, FLAG)
        .or_else(|| environment.variable(VARIABLE).map(OsStr::to_owned))
        .or_else(|| in_file(arguments, environment));
    if named.is_some_and(|named| named == JSON) { LogFormat::Json } else { LogFormat::Text }
}

fn in_file(arguments: &[OsString], environment: &Environment) -> Option<OsString> {
    let named = flag(arguments, CONFIG)
        .or_else(|| environment.variable(CONFIG_VARIABLE).map(OsStr::to_owned));
    let path = named.map(PathBuf::from).or_else(|| environment.config_of_packages.clone())?;
    let values = file::read(&path).ok()?;
    values.into_iter().find(|(key, _)| key == KEY).map(|(_, text)| text.into())
}

/// Returns the last value of a flag: `--name value` or `--name=value`.
fn flag(arguments: &[OsString], name: &str) -> Option<OsString> {
    let name = format!("--{name}");
    let mut values = arguments.iter().enumerate().filter_map(|(at, argument)| {
        let rest = argument.to_str()?.strip_prefix(&name)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value.into()),
            None if rest.is_empty() => arguments.get(at + 1).cloned(),
            None => None,
        }
    });
    values.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(arguments: &[&str], variables: &[(&str, &str)]) -> LogFormat {
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        let environment = Environment::new(variables.iter().copied(), None);
        requested_log_format(&arguments, &environment)
    }

    #[test]
    fn the_later_layer_wins_as_in_settings_that_are_right() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "log_format = \"json\"\nlisten = 7\nnonsense = 1\n").unwrap();
        let (in_file, text) = (("SECURECALL_CONFIG", path), (VARIABLE, "text"));
        assert_eq!(asked_for(&["serve"], &[]), LogFormat::Text);
        assert_eq!(asked_for(&["serve", "--log-format", "json"], &[]), LogFormat::Json);
        assert_eq!(asked_for(&["--log-format=json", "--nonsense"], &[text]), LogFormat::Json);
        assert_eq!(asked_for(&[], &[in_file]), LogFormat::Json);
        assert_eq!(asked_for(&["--config", path], &[]), LogFormat::Json);
        assert_eq!(asked_for(&[], &[in_file, text]), LogFormat::Text);
        assert_eq!(asked_for(&["--log-format=json", "--log-format=text"], &[]), LogFormat::Text);
    }
}
