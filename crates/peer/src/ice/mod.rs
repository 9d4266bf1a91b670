//! Paths to the other end: candidates, their sockets, and their form in a description (RFC 8445).

pub(crate) mod candidate;
pub(crate) mod early;
pub(crate) mod host;
pub(crate) mod network;
pub(crate) mod paths;
pub(crate) mod reflexive;
pub(crate) mod sdp;
