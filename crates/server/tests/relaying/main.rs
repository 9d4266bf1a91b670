//! A whole server in the clear, met by WebSocket clients of another library (tungstenite): what each end of a call
//! is sent, and what the server refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is all tests")]

mod calls;
mod client;
mod connections;
mod limits;
mod services;

use securecall_server::settings::Settings;

/// Not a test by itself: the server of the other tests, in a process of its own.
#[test]
fn the_server_of_the_other_tests() {
    let Some(flags) = securecall_testkit::server_flags() else { return };
    securecall_server::serve(Settings::from_flags(flags).unwrap()).unwrap();
}
