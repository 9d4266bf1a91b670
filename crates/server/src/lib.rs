//! Placeholder.

pub mod data_dir;
pub mod directory;
