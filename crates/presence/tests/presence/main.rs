//! Presence, with a host that notes what it is asked for and a clock that the test owns.
//!
//! What sessions decide is tested in `securecall-core`, and what comes of all interleavings in
//! `securecall-sim`. Here stands what presence itself promises.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod absence;
mod delivery;
mod node;
mod superseding;
mod threads;
