//! The client against real servers, dishonest ones, and networks that fail.

mod calls;
mod dishonest;
mod fake;
mod losses;
mod middle;
mod phone;
mod proxy;
mod refusals;
mod server;
