//! Lines that people read: what is safe to print, notes, hints, and the log.

pub(crate) mod harmless;
pub(crate) mod hints;
pub(crate) mod logging;
pub(crate) mod note;
