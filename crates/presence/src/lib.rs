//! Presence: the clients with a session here, and the mail between sessions.
//!
//! This crate refuses to do four things: it opens no socket, reads no clock, starts no task and
//! decides nothing about calls. The world around it is a [`Host`]: connections to send on, keepers,
//! counters. So the server and the simulator run the same code.
//!
//! # The contract
//!
//! A wake-up of a task begins a [`Batch`], which holds the time. Each input to the [`Registry`]
//! (a client that registers, goes, or asks for something; a deadline) locks one cell, and returns
//! a [`Post`]: the mail that it has caused. The caller takes the items of the post one after another, the last first, and gives each to [`Registry::step`], which locks one cell again
//! and returns what follows. Between two steps no lock is held, so the steps of several threads
//! interleave in any order; within a step they do not.
//!
//! ```text
//! input ─► Registry ─► Cell (session) ─► Post ─► Registry::step ─► another cell ─► Post …
//! ```
//!
//! At any time exactly one task minds a cell's deadlines: the driver of the attached connection, or,
//! when there is none, a keeper that ends with the session.
//!
//! Locks are taken one cell at a time, and inside it those of a connection, never the other way.

mod batch;
mod cell;
mod host;
mod post;
mod registry;

pub use batch::{Batch, LastPeer};
pub use cell::Cell;
pub use host::Host;
pub use post::{Item, Letter, OwnedItem, OwnedLetter, OwnedPost, Post};
pub use registry::Registry;
