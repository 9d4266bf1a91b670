//! The limit of file descriptors: each connection needs one.

use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

use super::layers::Layers;
use super::{Environment, Origin, Settings, SettingsError, defaults};
use crate::admission::requests::REQUESTS_MAX;

/// File descriptors for everything but connections: requests in progress, and listeners, storage,
/// an event queue for each worker, the cluster, standard streams; 64 is twice what a server with 16
/// cores has open.
pub const DESCRIPTORS_RESERVED: u64 = 64 + REQUESTS_MAX as u64;

/// The number of connections below which the operator is warned that the default was lowered.
const WORTH_A_WARNING: usize = defaults::CONNECTIONS_MAX / 2;

const CONNECTIONS_MAX: &str = "limits.connections_max";

/// Returns the limit of file descriptors of this process, or `None` if there is none.
pub(super) fn allowed() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Raises the soft limit, often 1024, to the hard one, which the settings are checked against. It
/// affects the whole process.
///
/// # Errors
/// The system refuses.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Fits the number of connections to the limit of file descriptors: a default is lowered, with a
/// warning if it is lowered much; an explicit value is refused.
pub(super) fn fit(
    settings: &mut Settings,
    layers: &mut Layers<'_>,
    environment: &Environment,
) -> Result<Option<String>, SettingsError> {
    let Some(allowed) = environment.descriptors_max else { return Ok(None) };
    let asked = settings.limits.connections_max;
    let needed = (asked as u64).saturating_add(DESCRIPTORS_RESERVED);
    if needed <= allowed {
        return Ok(None);
    }
    let possible = usize::try_from(allowed.saturating_sub(DESCRIPTORS_RESERVED)).unwrap_or(asked);
    if possible == 0 || layers.given.contains_key(CONNECTIONS_MAX) {
        let setting = layers.described(CONNECTIONS_MAX, &asked);
        return Err(SettingsError::Descriptors { setting, needed, allowed });
    }
    settings.limits.connections_max = possible;
    layers.set(CONNECTIONS_MAX, possible.to_string(), Origin::DescriptorLimit);
    let warning = format!(
        "{CONNECTIONS_MAX} is {possible} instead of {}: the process may have {allowed} files open. \
         Raise its limit (ulimit -Hn, LimitNOFILE=), or set {CONNECTIONS_MAX}",
        defaults::CONNECTIONS_MAX
    );
    // A slightly lower value needs no warning; check-config shows it.
    Ok((possible < WORTH_A_WARNING).then_some(warning))
}
