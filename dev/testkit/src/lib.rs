//! Parts that the tests of several crates share.
#![allow(clippy::panic, reason = "a test that has lost its ground fails at once")]

mod config;
mod port;

pub use config::unlimited_config;
pub use port::{free_address, free_port};
