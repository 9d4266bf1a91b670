//! Settings together with their origins.

use std::ffi::OsStr;
use std::fmt::Write as _;

use clap::{ArgMatches, FromArgMatches as _};
use toml::Value;

use super::Layers;
use crate::settings::declaration::{Declaration, declarations, parser};
use crate::settings::sections::{tls, turn};
use crate::settings::{Environment, Origin, Settings, SettingsError, consistency, descriptors};

/// A configuration that passed all checks.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub settings: Settings,
    /// Warnings for the operator, one sentence each.
    pub warnings: Vec<String>,
    values: Vec<Effective>,
    secret_origin: Option<Origin>,
}

/// The effective value of a setting.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    pub(crate) declaration: Declaration,
    /// `None` if it is not set and has no default.
    pub(crate) text: Option<String>,
    pub(crate) origin: Origin,
}

impl Loaded {
    /// Loads the configuration: defaults, then the file, the environment, and the flags of a
    /// command made with [`crate::settings::with_options`].
    ///
    /// # Errors
    /// A value is invalid, settings contradict each other, or a name is unknown.
    pub fn new(flags: &ArgMatches, environment: &Environment) -> Result<Self, SettingsError> {
        let declarations = declarations();
        let mut layers = Layers::read(&declarations, flags, environment)?;
        let matches = parser().try_get_matches_from(layers.arguments())?;
        let mut settings = Settings::from_arg_matches(&matches)?;

        let mut warnings = Vec::new();
        warnings.extend(descriptors::fit(&mut settings, &mut layers, environment)?);
        consistency::check(&settings, &layers)?;
        let turn = turn::resolve(&settings.turn, environment)?;
        settings.relay = turn.relay;
        consistency::check_relay(&settings, &layers)?;
        settings.file = layers.file.take();
        warnings.extend(turn.warnings);
        warnings.extend(tls::warnings(&settings.tls));

        let values = declarations.iter().map(|declaration| Effective::new(declaration, &layers));
        let values = values.collect();
        Ok(Self { settings, warnings, values, secret_origin: turn.secret_origin })
    }

    /// Returns the configuration as a TOML file with the same effect, and the origin of each value.
    /// It contains no secrets, only their origins.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut toml = String::new();
        let mut section = "";
        for value in &self.values {
            let (table, key) = value.declaration.table_and_key();
            if table != section {
                let _ = write!(toml, "\n[{table}]\n");
                section = table;
            }
            let _ = writeln!(toml, "{}", value.line(key));
            if value.declaration.key == "turn.secret_file" {
                let _ = writeln!(toml, "{}", self.secret_line());
            }
        }
        toml
    }

    pub(crate) fn values(&self) -> &[Effective] {
        &self.values
    }

    fn secret_line(&self) -> String {
        match &self.secret_origin {
            Some(origin) => format!("# the secret is set from {origin}"),
            None => "# there is no secret".to_owned(),
        }
    }
}

impl Effective {
    fn new(declaration: &Declaration, layers: &Layers<'_>) -> Self {
        let given = layers.given.get(&declaration.key);
        let text = |text: &OsStr| text.to_string_lossy().into_owned();
        Self {
            text: given.map(|given| text(&given.text)).or_else(|| declaration.default.clone()),
            origin: given.map_or(Origin::Default, |given| given.origin.clone()),
            declaration: declaration.clone(),
        }
    }

    /// Returns a line of TOML, which is a comment if there is no value.
    fn line(&self, key: &str) -> String {
        let origin = &self.origin;
        match &self.text {
            Some(text) => format!("{key} = {}  # {origin}", literal(&self.declaration, text)),
            None if self.declaration.is_list => format!("{key} = []  # {origin}"),
            None => format!("# {key} is not set"),
        }
    }
}

pub(crate) fn literal(declaration: &Declaration, text: &str) -> Value {
    if declaration.is_list {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Value::Array(items.map(|item| Value::String(item.to_owned())).collect());
    }
    number(declaration, text).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn number(declaration: &Declaration, text: &str) -> Option<Value> {
    match declaration.unit.as_str() {
        "COUNT" | "BYTES" => text.parse().ok().map(Value::Integer),
        "PER_SECOND" => text.parse().ok().map(Value::Float),
        _ => None,
    }
}
