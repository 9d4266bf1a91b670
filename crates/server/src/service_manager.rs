//! Notifications to the service manager: ready, and stopping.
//!
//! systemd passes a socket in `NOTIFY_SOCKET` to a service of `Type=notify`. Without the variable
//! nothing is sent.

use std::time::Duration;

use sd_notify::NotifyState;

/// The time from the end of the drain to the end of the process: the directory is closed, threads
/// are joined.
const EXIT_TIME: Duration = Duration::from_secs(5);

/// Reports that the server listens, so that dependent services can start.
pub(crate) fn notify_ready() {
    notify(&[NotifyState::Ready]);
}

/// Reports the drain, and requests its maximal duration, so that no timeout of the service has to
/// match.
pub(crate) fn notify_stopping(drain_timeout: Duration) {
    let extended = (drain_timeout + EXIT_TIME).as_micros();
    let extended = u32::try_from(extended).unwrap_or(u32::MAX);
    notify(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(extended)]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify the service manager: NOTIFY_SOCKET cannot be used");
    }
}
