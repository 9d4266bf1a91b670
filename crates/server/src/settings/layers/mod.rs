//! The layers of a configuration: file, environment, flags. Each is a set of texts, and a later
//! layer overrides an earlier one.

pub(crate) mod early_log_format;
pub(crate) mod environment;
pub(crate) mod file;
pub(crate) mod loaded;
pub(crate) mod nearest;
pub(crate) mod origin;
pub(crate) mod usage;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use self::environment::PORT_VARIABLE;
use self::nearest::nearest;
use super::declaration::{Declaration, parser};
use super::sections::address;
use super::values::turn_secret::SECRET_VARIABLE;
use super::{CONFIG, CONFIG_VARIABLE, Environment, Origin, SettingsError};

/// A value as text, and its origin.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) text: OsString,
    pub(crate) origin: Origin,
}

/// The values of all keys that are set in any layer.
pub(crate) struct Layers<'a> {
    declarations: &'a [Declaration],
    pub(crate) given: BTreeMap<String, Given>,
    /// The file that was read, or `None` if there was none.
    pub(crate) file: Option<PathBuf>,
}

impl<'a> Layers<'a> {
    /// Reads all layers, and checks each value by itself, even one that a later layer overrides.
    pub(crate) fn read(
        declarations: &'a [Declaration],
        flags: &ArgMatches,
        environment: &Environment,
    ) -> Result<Self, SettingsError> {
        let mut layers = Self { declarations, given: BTreeMap::new(), file: None };
        if let Some(path) = config_path(flags, environment) {
            layers.add_file(&path)?;
            layers.file = Some(path);
        }
        layers.add_environment(environment)?;
        layers.add_flags(flags)?;
        layers.add_port(environment)?;
        Ok(layers)
    }

    /// Returns the values as a command line.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = OsString> {
        self.declarations.iter().filter_map(|declaration| {
            let given = self.given.get(&declaration.key)?;
            Some(argument(declaration, &given.text))
        })
    }

    /// Sets a value without checking its form.
    pub(crate) fn set(&mut self, key: &str, text: impl Into<OsString>, origin: Origin) {
        self.given.insert(key.to_owned(), Given { text: text.into(), origin });
    }

    /// Describes a setting for errors: `key (value, origin)`.
    pub(crate) fn described(&self, key: &str, value: &dyn Display) -> String {
        let origin = self.given.get(key).map_or(&Origin::Default, |given| &given.origin);
        format!("{key} ({value}, {origin})")
    }

    /// Describes a setting for errors that must not show its value: `key (origin)`.
    pub(crate) fn named(&self, key: &str) -> String {
        let origin = self.given.get(key).map_or(&Origin::Default, |given| &given.origin);
        format!("{key} ({origin})")
    }

    fn add_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        // The key that a user would expect for the secret.
        const SECRET_KEY: &str = "turn.secret";
        for (key, text) in file::read(path)? {
            let origin = Origin::File(path.to_owned());
            if key == SECRET_KEY {
                return Err(SettingsError::SecretInFile { name: key, origin });
            }
            // An empty section sets nothing.
            if text.is_empty() && self.is_section(&key) {
                continue;
            }
            let declaration = find(self.declarations, &key, |d| &d.key).map_err(|nearest| {
                unknown(&key, &origin, nearest.or_else(|| self.nearest_section(&key)))
            })?;
            self.add(declaration, OsStr::new(&text), origin)?;
        }
        Ok(())
    }

    fn add_environment(&mut self, environment: &Environment) -> Result<(), SettingsError> {
        for (name, text) in environment.prefixed() {
            if OTHER_VARIABLES.contains(&name) {
                continue;
            }
            let origin = Origin::Environment(name.to_owned());
            let declaration = find(self.declarations, name, |d| &d.variable).map_err(|known| {
                let names = known.as_deref().into_iter().chain(OTHER_VARIABLES);
                unknown(name, &origin, nearest(name, names))
            })?;
            self.add(declaration, text, origin)?;
        }
        Ok(())
    }

    /// Adds the flags. They were checked when the command line was parsed.
    fn add_flags(&mut self, flags: &ArgMatches) -> Result<(), SettingsError> {
        for declaration in self.declarations {
            // A command may have flags for some settings only.
            let is_flag = flags.try_contains_id(&declaration.key).is_ok();
            if !is_flag || flags.value_source(&declaration.key) != Some(ValueSource::CommandLine) {
                continue;
            }
            let mut texts = flags.get_raw(&declaration.key).into_iter().flatten();
            if let Some(text) = texts.next_back() {
                self.set(&declaration.key, text, Origin::Flag(format!("--{}", declaration.flag)));
            }
        }
        Ok(())
    }

    /// Applies `PORT`, which replaces the port of `listen` unless that is a flag: an explicit flag
    /// is more specific than the platform's variable.
    fn add_port(&mut self, environment: &Environment) -> Result<(), SettingsError> {
        const LISTEN: &str = "listen";
        let Some(port) = environment.variable(PORT_VARIABLE) else { return Ok(()) };
        let given = self.given.get(LISTEN);
        if given.is_some_and(|given| matches!(given.origin, Origin::Flag(_))) {
            return Ok(());
        }
        let origin = Origin::Environment(PORT_VARIABLE.to_owned());
        let port = port.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
            let reason = match port.is_empty() {
                true => "PORT is empty: unset it, or set it to a port".to_owned(),
                false => format!("{port:?} is not a port: must be from 0 to 65535"),
            };
            SettingsError::Invalid { setting: LISTEN.to_owned(), origin: origin.clone(), reason }
        })?;
        let mut listen: SocketAddr = given
            .and_then(|given| given.text.to_str())
            .and_then(|text| address::parse(text).ok())
            .unwrap_or(super::defaults::LISTEN);
        listen.set_port(port);
        self.set(LISTEN, listen.to_string(), origin);
        Ok(())
    }

    fn add(
        &mut self,
        declaration: &Declaration,
        text: &OsStr,
        origin: Origin,
    ) -> Result<(), SettingsError> {
        parser()
            .try_get_matches_from([argument(declaration, text)])
            .map_err(|error| usage::invalid(&error, declaration, text, origin.clone()))?;
        self.set(&declaration.key, text, origin);
        Ok(())
    }

    /// Returns the section that was probably meant, if that of `key` does not exist.
    fn nearest_section(&self, key: &str) -> Option<String> {
        let (written, _) = key.split_once('.').unwrap_or((key, ""));
        if self.is_section(written) {
            return None;
        }
        let sections = self
            .declarations
            .iter()
            .filter_map(|declaration| declaration.key.split_once('.').map(|(section, _)| section));
        nearest(written, sections).map(|section| format!("[{section}]"))
    }

    fn is_section(&self, key: &str) -> bool {
        let section = format!("{key}.");
        self.declarations.iter().any(|declaration| declaration.key.starts_with(&section))
    }
}

/// Variables with our prefix that are no settings. The last two belong to the commands for clients,
/// which may run in the same shell.
const OTHER_VARIABLES: [&str; 4] =
    [CONFIG_VARIABLE, SECRET_VARIABLE, "SECURECALL_SERVER", "SECURECALL_IDENTITY"];

/// Finds the setting with this name in this layer. Fails with the nearest name.
fn find<'a>(
    declarations: &'a [Declaration],
    written: &str,
    name: impl Fn(&Declaration) -> &String,
) -> Result<&'a Declaration, Option<String>> {
    let names = declarations.iter().map(|declaration| name(declaration).as_str());
    let found = declarations.iter().find(|declaration| name(declaration) == written);
    found.ok_or_else(|| nearest(written, names))
}

fn unknown(written: &str, origin: &Origin, nearest: Option<String>) -> SettingsError {
    SettingsError::Unknown { name: written.to_owned(), origin: origin.clone(), nearest }
}

/// Returns the path of the file: from the flag, or else from the environment, or else that of an
/// installed package if it exists. An empty variable means that there is no file.
fn config_path(flags: &ArgMatches, environment: &Environment) -> Option<PathBuf> {
    let flag = flags.get_one::<PathBuf>(CONFIG).cloned();
    let named = flag.or_else(|| environment.variable(CONFIG_VARIABLE).map(PathBuf::from));
    match named {
        Some(path) => Some(path).filter(|path| !path.as_os_str().is_empty()),
        // A file whose existence cannot be checked counts as present: reading it will report the
        // problem.
        None => {
            environment.config_of_packages.clone().filter(|path| path.try_exists().unwrap_or(true))
        }
    }
}

/// Returns `--flag=text`. The `=` keeps a text with a leading dash from being parsed as a flag.
fn argument(declaration: &Declaration, text: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{}=", declaration.flag));
    argument.push(text);
    argument
}
