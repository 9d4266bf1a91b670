//! The settings as a list. It is read from the types, where each is declared once.

use std::any::TypeId;

use clap::{Arg, Args, Command};

use super::layers::surroundings::VARIABLE_PREFIX;
use super::{DomainName, List, Settings, TurnUrl};

/// One setting: its three names, and what people are told about it.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// In the file: `section.key`, or `key` alone.
    pub key: String,
    /// On the command line, without the dashes.
    pub flag: String,
    /// In the environment.
    pub variable: String,
    /// The heading of its section.
    pub section: String,
    /// Unit or form of the value.
    pub unit: String,
    /// Built-in value. `None`: the meaning says what happens without one.
    pub default: Option<String>,
    /// What it does.
    pub meaning: String,
    /// The words that may be set, if only some may.
    pub choices: Vec<String>,
    /// Whether the file has an array for it.
    pub is_list: bool,
}

impl Declaration {
    /// The section of the file, empty for settings at its top, and the name there.
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

/// All settings, in the order of the help.
#[must_use]
pub fn declarations() -> Vec<Declaration> {
    parser().get_arguments().filter_map(Declaration::new).collect()
}

/// A parser for settings alone: every layer goes through it, so that a value means the same
/// wherever it is written.
pub(super) fn parser() -> Command {
    let bare = Command::new("settings")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true);
    Settings::augment_args(bare)
}
