//! The rules of calls, each with a small world of sessions on a virtual clock.
//!
//! `securecall-sim` finds cases that were not thought of; these are the others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bounds;
mod deadlines;
mod fatal_offers;
mod glare;
mod late;
mod lost_answers;
mod misled;
mod mixed;
mod outsiders;
mod overtaking;
mod owners;
mod presenting;
mod progress;
mod reconnecting;
mod restarting;
mod resuming;
mod setting_up;
mod wire;
mod world;
