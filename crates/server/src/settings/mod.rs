//! The configuration: one type, filled from four layers.
//!
//! ```text
//! default  <  TOML file  <  environment  <  flag          PORT replaces the port of `listen`
//! ```
//!
//! Each setting is declared once, as a field with its key in the file, its flag, its unit, its
//! default and a sentence. Names in the environment follow from flags; help, `check-config` and
//! `docs/configuration.md` are generated from the declarations. A value is text in every layer, and
//! one parser reads them all.
//!
//! To add a setting, add a field to its section and a constant to [`defaults`]; rules between
//! settings are in `consistency.rs`.

mod changes;
mod consistency;
mod core_config;
mod declaration;
pub mod defaults;
mod descriptors;
mod error;
mod layers;
mod sample_file;
mod sections;
mod values;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Args as _, Command, value_parser};
pub use humantime::Duration;
pub use ipnet::IpNet;

pub use self::changes::{SETTLED_AT_START, is_live};
pub use self::declaration::{Declaration, declarations};
pub use self::descriptors::{DESCRIPTORS_RESERVED, raise_descriptor_limit};
pub use self::error::SettingsError;
pub use self::layers::early_log_format::requested_log_format;
pub use self::layers::environment::Environment;
pub use self::layers::loaded::Loaded;
pub use self::layers::origin::Origin;
pub use self::sections::address::Admin;
pub use self::sections::calls::Calls;
pub use self::sections::directory::{Directory, Replace};
pub use self::sections::drain::Drain;
pub use self::sections::identity::Identity;
pub use self::sections::limits::Limits;
pub use self::sections::log::{LogFilter, LogFormat};
pub use self::sections::proxy::{HeaderName, Network, Proxy, ProxyProtocol};
pub use self::sections::tls::{Acme, Tls};
pub use self::sections::turn::{Preset, Turn, TurnSettings};
pub use self::values::acme_names::{AcmeContact, AcmeDirectory, DomainName};
pub use self::values::list::List;
pub use self::values::rate::Rate;
pub use self::values::secret::Secret;
pub use self::values::turn_error::TurnError;
pub use self::values::turn_url::TurnUrl;
pub use self::values::workers::Workers;

/// All settings. Created by [`Loaded::new`], or by [`Settings::from_flags`] in tests.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct Settings {
    /// The file that was read, or `None` if there was none.
    #[arg(skip)]
    pub file: Option<PathBuf>,

    /// Address for clients; port 0 selects a free one
    #[arg(id = "listen", long = "listen", value_name = "ADDRESS:PORT")]
    #[arg(default_value_t = defaults::LISTEN, value_parser = sections::address::parse)]
    pub listen: SocketAddr,

    /// Folder of the directory and the server key
    #[arg(id = "data_dir", long = "data-dir", value_name = "FOLDER")]
    #[arg(default_value = defaults::DATA_DIR)]
    pub data_dir: PathBuf,

    /// Threads that serve connections; auto is one for each core
    #[arg(id = "workers", long = "workers", value_name = "COUNT", default_value_t = Workers::Auto)]
    pub workers: Workers,

    /// Minimum level to log, on standard error; also TARGET=LEVEL, separated by commas
    #[arg(id = "log", long = "log", value_name = "LEVEL", default_value = defaults::LOG)]
    pub log: LogFilter,

    /// Format of log lines
    #[arg(id = "log_format", long = "log-format", value_name = "FORMAT")]
    #[arg(value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// The certificate from files.
    #[command(flatten, next_help_heading = "TLS")]
    pub tls: Tls,

    /// The certificate from a certificate authority by ACME.
    #[command(flatten, next_help_heading = "TLS by ACME (such as Let's Encrypt)")]
    pub acme: Acme,

    /// The limits of a connection, an address and the whole server.
    #[command(flatten, next_help_heading = "Limits")]
    pub limits: Limits,

    /// The timeouts and limits of calls.
    #[command(flatten, next_help_heading = "Calls")]
    pub calls: Calls,

    /// The directory of public keys.
    #[command(flatten, next_help_heading = "Directory of public keys")]
    pub directory: Directory,

    /// Ids that are bound to a key.
    #[command(flatten, next_help_heading = "Identity")]
    pub identity: Identity,

    /// The settings of TURN. [`Settings::relay`] is their result.
    #[command(flatten, next_help_heading = "TURN")]
    pub turn: Turn,

    /// The TURN servers for clients, with the secret. `None` if TURN is off.
    #[arg(skip)]
    pub relay: Option<TurnSettings>,

    /// The proxies in front of the server.
    #[command(flatten, next_help_heading = "Proxies")]
    pub proxy: Proxy,

    /// The drain at the end.
    #[command(flatten, next_help_heading = "Stopping")]
    pub drain: Drain,

    /// The admin listener.
    #[command(flatten, next_help_heading = "Operators")]
    pub admin: Admin,
}

impl Settings {
    /// Creates settings from flags alone, without the environment, for tests and programs that
    /// embed the server: `Settings::from_flags(["--listen=127.0.0.1:0"])`.
    ///
    /// # Errors
    /// As [`Loaded::new`].
    pub fn from_flags<F: Into<OsString> + Clone>(
        flags: impl IntoIterator<Item = F>,
    ) -> Result<Self, SettingsError> {
        let command = with_options(Command::new("securecall").no_binary_name(true));
        let flags = command.try_get_matches_from(flags)?;
        Loaded::new(&flags, &Environment::default()).map(|loaded| loaded.settings)
    }
}

const CONFIG: &str = "config";
const CONFIG_VARIABLE: &str = "SECURECALL_CONFIG";
/// The configuration file of an installed package, which is used if no other is named.
const CONFIG_OF_PACKAGES: &str = "/etc/securecall/securecall.toml";

/// Adds `--config` and a flag for each setting to a command.
#[must_use]
pub fn with_options(command: Command) -> Command {
    // Only the short form of help: clap's long form would take five lines for each setting.
    let help = Arg::new("help").short('h').long("help").help("Print help");
    let config =
        Arg::new(CONFIG).long(CONFIG).value_name("FILE").value_parser(value_parser!(PathBuf)).help(
            format!(
                "TOML file with settings (environment: SECURECALL_CONFIG) [default: \
             {CONFIG_OF_PACKAGES}, if there is one]"
            ),
        );
    let command =
        command.disable_help_flag(true).arg(config).arg(help.action(ArgAction::HelpShort));
    Settings::augment_args(command).mut_args(show_absent_default)
}

/// Adds `--config` and only the flags of TURN, for a command that does not serve. The file and the
/// environment are read as with [`with_options`].
#[must_use]
pub fn with_turn_options(command: Command) -> Command {
    let all = with_options(Command::new("all"));
    let is_turn = |arg: &&Arg| arg.get_help_heading().is_none_or(|heading| heading == "TURN");
    command.disable_help_flag(true).args(all.get_arguments().filter(is_turn))
}

/// Returns true if a command has flags for settings.
pub fn takes_settings(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_id() == CONFIG)
}

/// Adds the default to the help where it is not a value: clap shows only values.
fn show_absent_default(arg: Arg) -> Arg {
    let is_setting = arg.get_help_heading().is_some();
    if !is_setting || arg.get_default_values().iter().any(|value| !value.is_empty()) {
        return arg;
    }
    let meaning = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.help(format!("{meaning} [default: none]"))
}
