//! Placeholder.

pub mod directory;
