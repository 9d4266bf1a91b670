//! Settings that must fit each other.

use std::fmt::Display;

use super::layers::Layers;
use super::{Settings, SettingsError, tls};

/// Refuses settings that contradict each other.
pub(super) fn check(settings: &Settings, layers: &Layers<'_>) -> Result<(), SettingsError> {
    let Settings { limits, calls, directory, drain, proxy, .. } = settings;
    let pair = |left: (&str, &dyn Display), relation, right: (&str, &dyn Display), holds: bool| {
        if holds {
            return Ok(());
        }
        let name = |(key, value)| layers.described(key, value);
        Err(SettingsError::Contradiction { left: name(left), relation, right: name(right) })
    };

    // The ping asks for the sign of life that the timeout waits for.
    pair(
        ("limits.ping_after", &limits.ping_after),
        "shorter than",
        ("limits.silence_timeout", &limits.silence_timeout),
        *limits.ping_after < *limits.silence_timeout,
    )?;
    // An outbox must take every message that a peer may send…
    pair(
        ("limits.outbox_bytes_max", &limits.outbox_bytes_max),
        "at least",
        ("limits.message_bytes_max", &limits.message_bytes_max),
        limits.outbox_bytes_max >= limits.message_bytes_max,
    )?;
    // …and so must the mail of an absent client…
    pair(
        ("calls.waiting_bytes_max", &calls.waiting_bytes_max),
        "at least",
        ("limits.message_bytes_max", &limits.message_bytes_max),
        calls.waiting_bytes_max >= limits.message_bytes_max,
    )?;
    // …which is written at once when it is back.
    pair(
        ("calls.waiting_bytes_max", &calls.waiting_bytes_max),
        "at most",
        ("limits.outbox_bytes_max", &limits.outbox_bytes_max),
        calls.waiting_bytes_max <= limits.outbox_bytes_max,
    )?;
    // A key arrives in a message.
    pair(
        ("directory.key_bytes_max", &directory.key_bytes_max),
        "less than",
        ("limits.message_bytes_max", &limits.message_bytes_max),
        directory.key_bytes_max < limits.message_bytes_max,
    )?;
    pair(
        ("drain.period", &drain.period),
        "at most",
        ("drain.timeout", &drain.timeout),
        *drain.period <= *drain.timeout,
    )?;
    // Whoever is trusted may say which address the client has.
    if let Some(everybody) = proxy.everybody() {
        pair(
            ("proxy.trusted", &everybody),
            "narrower than every address with",
            ("proxy.header", &proxy.header),
            false,
        )?;
    }
    tls::check(settings, layers)?;
    check_listeners(settings, layers)
}

/// Two listeners on one address; port 0 is another port each time.
fn check_listeners(settings: &Settings, layers: &Layers<'_>) -> Result<(), SettingsError> {
    match settings.admin.listen {
        Some(admin) if admin == settings.listen && admin.port() != 0 => {
            Err(SettingsError::Contradiction {
                left: layers.described("admin.listen", &admin),
                relation: "another address than",
                right: layers.described("listen", &settings.listen),
            })
        }
        _ => Ok(()),
    }
}
