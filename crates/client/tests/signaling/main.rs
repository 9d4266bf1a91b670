//! The client against real servers, dishonest ones, and networks that fail.

// Whatever goes wrong here is what the test is to show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod dishonest;
mod fake;
mod losses;
mod middle;
mod phone;
mod proxy;
mod refusals;
mod secure;
mod server;
mod storms;
