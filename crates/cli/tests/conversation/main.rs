//! `securecall listen` and `securecall call` as two processes, with a real server between them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail where it stands")]

mod at_a_terminal;
mod calling_each_other;
mod calls;
mod coturn;
mod dishonest_server;
mod end_messages;
mod endings;
mod keys_that_change;
#[path = "../../../client/tests/signaling/middle.rs"]
mod middle;
mod server;
mod terminal;
mod typing;
