//! Admission: everything between `accept` and the upgrade that decides who may connect.

pub(crate) mod arrival;
pub(crate) mod client_address;
pub(crate) mod permit;
pub(crate) mod proxy_protocol;
pub(crate) mod refused;
pub(crate) mod requests;
