//! Two peers in one process, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail where it stands"
)]

mod aiortc;
mod coturn;
mod direct;
mod flood;
mod namespaces;
mod nat;
mod pair;
mod reflexive;
mod relay_failures;
mod relayed;
