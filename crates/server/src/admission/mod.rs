//! Everything between `accept` and the upgrade that decides who may connect: the address of a client, its place, and
//! the reason when there is none.

pub(crate) mod arrival;
pub(crate) mod client_address;
pub(crate) mod permit;
pub(crate) mod proxy_protocol;
pub(crate) mod refused;
pub(crate) mod requests;
