//! Settings that must fit each other, and the machine.

use std::fmt::Display;

use super::layers::Layers;
use super::{Origin, Settings, SettingsError, Surroundings, defaults};

/// File descriptors beside those of connections: listeners, storage, an event queue for each of
/// many workers, the cluster, standard streams; 64 is twice what a server of 16 cores has open.
pub const DESCRIPTORS_RESERVED: u64 = 64;

const CONNECTIONS_MAX: &str = "limits.connections_max";

/// Refuses settings that contradict each other.
pub(super) fn check(settings: &Settings, layers: &Layers<'_>) -> Result<(), SettingsError> {
    let Settings { limits, calls, directory, drain, .. } = settings;
    let pair = |left: (&str, &dyn Display), relation, right: (&str, &dyn Display), holds: bool| {
        if holds {
            return Ok(());
        }
        let name = |(key, value)| described(key, value, layers);
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
    check_listeners(settings, layers)
}

/// Two listeners on one address; port 0 is another port each time.
fn check_listeners(settings: &Settings, layers: &Layers<'_>) -> Result<(), SettingsError> {
    match settings.admin.listen {
        Some(admin) if admin == settings.listen && admin.port() != 0 => {
            Err(SettingsError::Contradiction {
                left: described("admin.listen", &admin, layers),
                relation: "another address than",
                right: described("listen", &settings.listen, layers),
            })
        }
        _ => Ok(()),
    }
}

/// Fits the number of connections to the file descriptors: the default is lowered with a
/// warning, what somebody asked for is refused.
pub(super) fn fit_descriptors(
    settings: &mut Settings,
    layers: &mut Layers<'_>,
    surroundings: &Surroundings,
) -> Result<Option<String>, SettingsError> {
    let Some(allowed) = surroundings.descriptors_max else { return Ok(None) };
    let asked = settings.limits.connections_max;
    let needed = (asked as u64).saturating_add(DESCRIPTORS_RESERVED);
    if needed <= allowed {
        return Ok(None);
    }
    let possible = usize::try_from(allowed.saturating_sub(DESCRIPTORS_RESERVED)).unwrap_or(asked);
    if possible == 0 || layers.given.contains_key(CONNECTIONS_MAX) {
        let setting = described(CONNECTIONS_MAX, &asked, layers);
        return Err(SettingsError::Descriptors { setting, needed, allowed });
    }
    settings.limits.connections_max = possible;
    layers.set(CONNECTIONS_MAX, possible.to_string(), Origin::DescriptorLimit);
    Ok(Some(format!(
        "{CONNECTIONS_MAX} is {possible} instead of {}: the process may have {allowed} files open \
         (ulimit -Hn)",
        defaults::CONNECTIONS_MAX
    )))
}

/// `key (value, origin)`.
fn described(key: &str, value: &dyn Display, layers: &Layers<'_>) -> String {
    let origin = layers.given.get(key).map_or(&Origin::Default, |given| &given.origin);
    format!("{key} ({value}, {origin})")
}
