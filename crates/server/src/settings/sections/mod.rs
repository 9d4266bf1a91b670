//! The sections of the configuration file, one module each.

pub(crate) mod address;
pub(crate) mod calls;
pub(crate) mod directory;
pub(crate) mod drain;
pub(crate) mod identity;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod proxy;
pub(crate) mod tls;
pub(crate) mod turn;
