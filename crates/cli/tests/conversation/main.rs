//! `securecall listen` and `securecall call` as two processes, with a real server between them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail where it stands")]

mod calls;
mod coturn;
mod keys_that_change;
mod server;
mod terminal;
