//! The client against real servers, dishonest ones, and networks that fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is all tests")]

mod calls;
mod dishonest;
mod fake;
mod floods;
mod losses;
mod middle;
mod phone;
mod proxy;
mod refusals;
mod replaced;
mod secure;
mod server;
mod storms;
mod wrong_address;
