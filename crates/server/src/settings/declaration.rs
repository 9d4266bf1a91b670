//! The list of all settings, derived from the types in which each is declared once.

use std::any::TypeId;

use clap::{Arg, Args, Command};

use super::layers::environment::VARIABLE_PREFIX;
use super::{DomainName, List, Settings, TurnUrl};

/// A setting: its three names, and its documentation.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The name in the file: `section.key`, or `key` alone.
    pub key: String,
    /// The name on the command line, without the dashes.
    pub flag: String,
    /// The name in the environment.
    pub variable: String,
    /// The heading of its section.
    pub section: String,
    /// The unit or the form of the value.
    pub unit: String,
    /// The built-in value. Without one, `meaning` describes the default.
    pub default: Option<String>,
    /// The description.
    pub meaning: String,
    /// The possible values, if there are only some.
    pub choices: Vec<String>,
    /// True if the file has an array for it.
    pub is_list: bool,
}

impl Declaration {
    /// Returns the section of the file (empty at the top) and the name in it.
    pub(super) fn table_and_key(&self) -> (&str, &str) {
        self.key.split_once('.').unwrap_or(("", &self.key))
    }

    fn new(arg: &Arg) -> Option<Self> {
        let flag = arg.get_long()?;
        let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
        Some(Self {
            key: arg.get_id().to_string(),
            flag: flag.to_owned(),
            variable: variable_of(flag),
            section: arg.get_help_heading()?.to_owned(),
            unit: arg.get_value_names()?.iter().map(ToString::to_string).collect(),
            default: defaults.map(String::from).find(|text| !text.is_empty()),
            meaning: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            choices: arg.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect(),
            is_list: is_list(arg),
        })
    }
}

fn is_list(arg: &Arg) -> bool {
    let kind = arg.get_value_parser().type_id();
    [
        TypeId::of::<List<TurnUrl>>(),
        TypeId::of::<List<super::sections::proxy::Network>>(),
        TypeId::of::<List<DomainName>>(),
    ]
    .iter()
    .any(|list| kind == *list)
}

fn variable_of(flag: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", flag.to_uppercase().replace('-', "_"))
}

/// Returns all settings, in the order of the help.
#[must_use]
pub fn declarations() -> Vec<Declaration> {
    parser().get_arguments().filter_map(Declaration::new).collect()
}

/// Returns a parser of settings alone. All layers use it, so that a value means the same wherever
/// it is written.
pub(super) fn parser() -> Command {
    let bare = Command::new("settings")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true);
    Settings::augment_args(bare)
}
