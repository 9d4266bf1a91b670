//! The client against real servers, dishonest ones, and networks that fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is all tests")]

mod calls;
mod dishonest;
mod fake;
mod floods;
mod losses;
mod middle;
mod pace;
mod phone;
mod proxy;
mod refusals;
mod replaced;
mod secure;
mod storms;
mod wrong_address;

use securecall_server::settings::Settings;

/// Not a test by itself: the server of the other tests, in a process of its own.
#[test]
fn the_server_of_the_other_tests() {
    let Some(flags) = securecall_testkit::server_flags() else { return };
    securecall_server::serve(Settings::from_flags(flags).unwrap()).unwrap();
}
