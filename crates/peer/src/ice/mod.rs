//! Paths to the other end: candidates, the sockets they stand for, and what a description says of them (RFC 8445).

pub(crate) mod candidate;
pub(crate) mod early;
pub(crate) mod host;
pub(crate) mod network;
pub(crate) mod paths;
pub(crate) mod reflexive;
pub(crate) mod sdp;
