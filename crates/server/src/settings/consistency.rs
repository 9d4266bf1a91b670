//! Settings that must fit each other.

use std::fmt::Display;

use securecall_core::envelope::{KEY_ENVELOPE_BYTES_MAX, OPAQUE_BYTES_MIN, opaque_bytes_max};
use securecall_core::{NameKey, Turn, TurnRest};

use super::layers::Layers;
use super::sections::tls;
use super::{ProxyProtocol, Settings, SettingsError};

/// What a message with a key has beside it, rounded up.
const KEY_ENVELOPE: usize = 1024;
const _: () = assert!(KEY_ENVELOPE >= KEY_ENVELOPE_BYTES_MAX);

/// Refuses TURN servers of which clients cannot be told, beside an offer, in a message that is no
/// longer than what is taken.
pub(super) fn check_relay(settings: &Settings, layers: &Layers<'_>) -> Result<(), SettingsError> {
    let message_bytes_max = settings.limits.message_bytes_max;
    let Some(relay) = &settings.relay else { return Ok(()) };
    let ice_servers_bytes =
        Turn::new(TurnRest::from(relay), NameKey::new(&[0; 32])).ice_servers_bytes_max();
    if opaque_bytes_max(message_bytes_max, ice_servers_bytes) >= OPAQUE_BYTES_MIN {
        return Ok(());
    }
    Err(SettingsError::IceServers {
        ice_servers_bytes,
        setting: layers.described("limits.message_bytes_max", &message_bytes_max),
    })
}

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
    // A key leaves in a message, beside an id and a name of the request.
    pair(
        ("directory.key_bytes_max", &directory.key_bytes_max),
        "at least 1024 less than",
        ("limits.message_bytes_max", &limits.message_bytes_max),
        directory.key_bytes_max + KEY_ENVELOPE <= limits.message_bytes_max,
    )?;
    // Whoever is rung can decline as fast.
    if let Some(hangups) = limits.hangups {
        pair(
            ("limits.hangups", &hangups),
            "at least, in both numbers,",
            ("limits.calls", &limits.calls),
            hangups.covers(limits.calls),
        )?;
    }
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
    if proxy.protocol == ProxyProtocol::On && proxy.trusted.is_empty() {
        let setting = layers.named("proxy.protocol");
        return Err(SettingsError::Alone { setting, other: "proxy.trusted" });
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
