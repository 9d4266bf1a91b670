//! Text for the user: sanitizing, messages, explanations, and the log.

pub(crate) mod harmless;
pub(crate) mod hints;
pub(crate) mod logging;
pub(crate) mod note;
