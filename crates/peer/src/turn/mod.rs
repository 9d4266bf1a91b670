//! TURN and STUN servers, and the relays on them (RFC 8656, RFC 8489).

pub(crate) mod ice_server;
pub(crate) mod relay;
pub(crate) mod relay_failure;
pub(crate) mod relays;
pub(crate) mod resolve;
pub(crate) mod stun_server;
pub(crate) mod turn_server;
pub(crate) mod wire;
