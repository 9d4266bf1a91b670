//! `[turn]`: the relays that clients are told, and the credentials for them.

use std::path::PathBuf;
use std::time::Duration as StdDuration;

use humantime::Duration;

use super::turn_secret::{Secrets, TurnSecretError};
use super::within::{HOUR, MINUTE, within_ms};
use super::{List, Origin, Secret, Surroundings, TurnUrl, defaults};

/// What was set about TURN. [`super::Settings::relay`] is what follows from it.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Turn {
    /// A TURN service with known URLs
    // `None`: only `urls` count.
    #[arg(id = "turn.preset", long = "turn-preset", value_name = "SERVICE", value_enum)]
    pub preset: Option<Preset>,

    /// URLs of TURN and STUN servers, after those of the preset
    #[arg(id = "turn.urls", long = "turn-urls", value_name = "URL,...")]
    #[arg(default_value_t, hide_default_value = true)]
    pub urls: List<TurnUrl>,

    /// File with the secret shared with the TURN servers; the previous one on a second line
    // `None`: the secret comes from the environment, or TURN is off.
    #[arg(id = "turn.secret_file", long = "turn-secret-file", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// How long a credential lets its client allocate
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
    fn urls(self) -> &'static [&'static str] {
        match self {
            Self::Metered => &["turn:a.relay.metered.ca:443?transport=tcp"],
        }
    }
}

/// TURN as the server offers it: complete, or absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnSettings {
    /// What clients are told, in this order. Not empty.
    pub urls: Vec<String>,
    /// Signs credentials. Not empty.
    pub secret: Secret,
    /// Signs a second credential in each answer, so that during a rotation it does not matter
    /// which secret a TURN server knows. `None`: no rotation is under way.
    pub secret_previous: Option<Secret>,
    /// How long a credential is valid.
    pub ttl: StdDuration,
}

/// What [`resolve`] found.
#[derive(Default)]
pub(super) struct Resolved {
    pub(super) relay: Option<TurnSettings>,
    pub(super) secret_origin: Option<Origin>,
    pub(super) warnings: Vec<String>,
}

/// Puts URLs and secrets together.
///
/// # Errors
/// When there is only half a configuration: a mistake in it would otherwise show as calls that
/// fail behind some firewalls.
pub(super) fn resolve(
    turn: &Turn,
    surroundings: &Surroundings,
) -> Result<Resolved, TurnSecretError> {
    let urls = urls(turn);
    let secrets = Secrets::find(turn.secret_file.as_deref(), surroundings)?;
    match secrets {
        None if urls.is_empty() => Ok(Resolved::default()),
        None => Err(TurnSecretError::Missing),
        Some(secrets) if urls.is_empty() => {
            Err(TurnSecretError::WithoutUrls { origin: secrets.origin })
        }
        Some(secrets) => Ok(Resolved {
            relay: Some(TurnSettings {
                urls,
                secret: secrets.current,
                secret_previous: secrets.previous,
                ttl: *turn.ttl,
            }),
            secret_origin: Some(secrets.origin),
            warnings: secrets.warnings,
        }),
    }
}

fn urls(turn: &Turn) -> Vec<String> {
    let preset = turn.preset.map_or(&[][..], Preset::urls).iter().map(ToString::to_string);
    preset.chain(turn.urls.iter().map(ToString::to_string)).collect()
}
