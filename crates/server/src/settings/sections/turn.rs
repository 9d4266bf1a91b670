//! `[turn]`: the TURN servers for clients, and their credentials.

use std::path::PathBuf;
use std::time::Duration as StdDuration;

use humantime::Duration;

use crate::settings::values::turn_secret::Found;
use crate::settings::values::turn_servers;
use crate::settings::values::within::{HOUR, MINUTE, within_ms};
use crate::settings::{Environment, List, Origin, Secret, TurnError, TurnUrl, defaults};

/// The settings of TURN. [`crate::settings::Settings::relay`] is their result.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Turn {
    /// A TURN service with known URLs
    // `None`: only the servers in `urls`.
    #[arg(id = "turn.preset", long = "turn-preset", value_name = "SERVICE", value_enum)]
    pub preset: Option<Preset>,

    /// URLs of TURN and STUN servers, after those of the preset
    #[arg(id = "turn.urls", long = "turn-urls", value_name = "URL,...")]
    #[arg(default_value_t, hide_default_value = true)]
    pub urls: List<TurnUrl>,

    /// File with the secret that is shared with the TURN servers
    // `None`: the secret comes from the environment, or TURN is off.
    #[arg(id = "turn.secret_file", long = "turn-secret-file", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// Lifetime of a credential, within which the client must allocate
    #[arg(id = "turn.ttl", long = "turn-ttl", value_name = "DURATION")]
    #[arg(default_value_t = defaults::TURN_TTL.into(), value_parser = within_ms(MINUTE..=24 * HOUR))]
    pub ttl: Duration,
}

/// A TURN service whose URLs are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// The relays of metered.ca
    Metered,
}

impl Preset {
    /// TCP on the port of HTTPS passes nearly every firewall.
    fn urls(self) -> Vec<TurnUrl> {
        let urls = match self {
            Self::Metered => ["turn:a.relay.metered.ca:443?transport=tcp"],
        };
        urls.iter().filter_map(|url| url.parse().ok()).collect()
    }
}

/// TURN as the server offers it: complete, or absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnSettings {
    /// The URLs for clients, in this order. Not empty.
    pub urls: Vec<String>,
    /// The key for credentials. Not empty.
    pub secret: Secret,
    /// The lifetime of a credential.
    pub ttl: StdDuration,
}

/// The result of [`resolve`].
#[derive(Default)]
pub(crate) struct Resolved {
    pub(crate) relay: Option<TurnSettings>,
    pub(crate) secret_origin: Option<Origin>,
    pub(crate) warnings: Vec<String>,
}

/// Combines URLs and secret.
///
/// # Errors
/// The settings are incomplete, or some clients cannot use the servers at all: such a mistake would
/// otherwise show only as failed calls behind some firewalls.
pub(crate) fn resolve(turn: &Turn, environment: &Environment) -> Result<Resolved, TurnError> {
    let urls = urls(turn);
    let found = Found::look(turn.secret_file.as_deref(), environment)?;
    match found {
        None if urls.is_empty() => Ok(Resolved::default()),
        None => Err(TurnError::SecretMissing),
        Some(found) if urls.is_empty() => Err(TurnError::WithoutUrls { origin: found.origin }),
        Some(found) => offer(turn, &urls, found),
    }
}

fn offer(turn: &Turn, urls: &[TurnUrl], found: Found) -> Result<Resolved, TurnError> {
    turn_servers::check(urls, &found.origin)?;
    let warnings = found.warnings.into_iter().chain(turn_servers::warnings(urls));
    Ok(Resolved {
        warnings: warnings.collect(),
        relay: Some(TurnSettings {
            urls: urls.iter().map(ToString::to_string).collect(),
            secret: found.secret,
            ttl: *turn.ttl,
        }),
        secret_origin: Some(found.origin),
    })
}

fn urls(turn: &Turn) -> Vec<TurnUrl> {
    let preset = turn.preset.map_or_else(Vec::new, Preset::urls);
    preset.into_iter().chain(turn.urls.iter().cloned()).collect()
}
