//! Sealing, as a client and as a dishonest relay see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod bound_fields;
mod dishonest_relay;
mod interoperation;
mod order;
mod pair;
mod relay;
mod rfc9180;
mod second;
mod tape;
mod vectors;
mod whole_call;
