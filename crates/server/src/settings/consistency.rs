//! Rules between settings.

use std::fmt::Display;

use securecall_core::envelope::{KEY_ENVELOPE_BYTES_MAX, OPAQUE_BYTES_MIN, opaque_bytes_max};
use securecall_core::{NameKey, Turn, TurnRest};

use super::layers::Layers;
use super::sections::tls;
use super::{ProxyProtocol, Settings, SettingsError};

/// The bound of a message apart from the key in it, rounded up.
const KEY_ENVELOPE: usize = 1024;
const _: () = assert!(KEY_ENVELOPE >= KEY_ENVELOPE_BYTES_MAX);

/// Refuses TURN servers that leave no room for an offer in a message of the largest size.
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

    // The timeout needs the answer to the ping.
    pair(
        ("limits.ping_after", &limits.ping_after),
        "shorter than",
        ("limits.silence_timeout", &limits.silence_timeout),
        *limits.ping_after < *limits.silence_timeout,
    )?;
    // An outbox must hold every message that a peer may send…
    pair(
        ("limits.outbox_bytes_max", &limits.outbox_bytes_max),
        "at least",
        ("limits.message_bytes_max", &limits.message_bytes_max),
        limits.outbox_bytes_max >= limits.message_bytes_max,
    )?;
    // …and so must the deferred mail of an absent client…
    pair(
        ("calls.waiting_bytes_max", &calls.waiting_bytes_max),
        "at least",
        ("limits.message_bytes_max", &limits.message_bytes_max),
        calls.waiting_bytes_max >= limits.message_bytes_max,
    )?;
    // …which is written at once when the client is back.
    pair(
        ("calls.waiting_bytes_max", &calls.waiting_bytes_max),
        "at most",
        ("limits.outbox_bytes_max", &limits.outbox_bytes_max),
        calls.waiting_bytes_max <= limits.outbox_bytes_max,
    )?;
    // A key is sent in a message with an id and a name of the request.
    pair(
        ("directory.key_bytes_max", &directory.key_bytes_max),
        "at least 1024 less than",
        ("limits.message_bytes_max", &limits.message_bytes_max),
        directory.key_bytes_max + KEY_ENVELOPE <= limits.message_bytes_max,
    )?;
    // A callee must be able to decline calls as fast as they can come.
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
    // A trusted peer may set the client's address.
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

/// Refuses two listeners on one address. Port 0 is a different port each time.
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
