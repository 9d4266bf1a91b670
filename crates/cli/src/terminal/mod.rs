//! Text for the user: sanitizing, messages, explanations, and the log.

pub(crate) mod explanation;
pub(crate) mod logging;
pub(crate) mod message;
pub(crate) mod sanitize;
