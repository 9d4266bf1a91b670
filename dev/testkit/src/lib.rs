//! Parts that the tests of several crates share.
#![allow(clippy::panic, reason = "a test that has lost its ground fails at once")]

mod config;
mod port;
mod server;

pub use config::unlimited_config;
pub use port::{free_address, free_port};
pub use server::{Server, get, server_flags, wait_for};
