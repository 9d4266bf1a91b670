//! The TOML file as a layer of settings.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use crate::settings::{Origin, SettingsError};

/// A key of the file, `section.key`, and its value as text.
pub(crate) type Entry = (String, String);

/// Reads the file. The keys are not checked.
///
/// # Errors
/// The file cannot be read, is not TOML, or has a value of a kind that no setting has.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, SettingsError> {
    let refused = |reason| SettingsError::File { path: path.to_owned(), reason };
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let table: Table = toml::from_str(&text).map_err(|error| refused(one_line(&error, &text)))?;

    let mut entries = Vec::new();
    flatten("", &table, &mut entries).map_err(|key| SettingsError::Invalid {
        setting: key,
        origin: Origin::File(path.to_owned()),
        reason: "must be a text, a number or an array of texts".to_owned(),
    })?;
    Ok(entries)
}

/// Collects the entries of `table` under `prefix`. Fails at an entry that cannot be the value of a
/// setting.
fn flatten(prefix: &str, table: &Table, entries: &mut Vec<Entry>) -> Result<(), String> {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value {
            // An empty section is an entry too, so that a misspelt one is detected.
            Value::Table(section) if section.is_empty() => entries.push((key, String::new())),
            Value::Table(section) => flatten(&format!("{key}."), section, entries)?,
            value => match text(value) {
                Some(text) => entries.push((key, text)),
                None => return Err(key),
            },
        }
    }
    Ok(())
}

/// Returns a value in the form that a flag has.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Array(items) => {
            items.iter().map(text).collect::<Option<Vec<_>>>().map(|t| t.join(","))
        }
        Value::Boolean(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

/// Returns the reason with its line number, without the content of the line, which may be secret.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let reason = error.message().replace('\n', ", ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {reason}", before.matches('\n').count() + 1),
        None => reason,
    }
}
