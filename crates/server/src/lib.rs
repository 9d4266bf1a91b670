//! The SecureCall signaling server.

pub mod data_dir;
pub mod directory;
pub mod settings;

use settings::Settings;

// ── Stand-ins until the server is here: its author replaces everything below. ──

/// Why the server could not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[error("the server is not built yet")]
pub struct ServeError;

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot listen or its data cannot be used.
pub fn serve(_settings: Settings) -> Result<(), ServeError> {
    Err(ServeError)
}

/// Checks what can be checked without serving: whether the data folder can be used.
///
/// # Errors
/// As [`serve`] would.
pub fn check(_settings: &Settings) -> Result<(), ServeError> {
    Ok(())
}
