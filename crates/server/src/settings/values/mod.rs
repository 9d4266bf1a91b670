//! The types of settings: each parses its text and states its bounds.

pub(crate) mod acme_names;
pub(crate) mod list;
pub(crate) mod rate;
pub(crate) mod secret;
pub(crate) mod turn_error;
pub(crate) mod turn_ports;
pub(crate) mod turn_secret;
pub(crate) mod turn_servers;
pub(crate) mod turn_url;
pub(crate) mod within;
pub(crate) mod workers;
