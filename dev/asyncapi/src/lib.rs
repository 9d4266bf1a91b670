//! The signaling protocol as an AsyncAPI 3 document with JSON Schemas (draft 7).
//!
//! This crate refuses to know the protocol by itself. Which messages there are, what they are
//! called, and which codes and reasons exist it takes from `securecall-protocol`; what its types
//! cannot say (in words what a field means, and what it is called in JSON) stands in two tables,
//! [`client`] and [`server`]. They are exhaustive matches, so a message or a field that is added to
//! the protocol does not compile here until it is described; and the tests hold every line of them
//! against what the encoder writes and the decoder reads.
//!
//! ```text
//! ClientMessage ─ client::all ─┐
//!                              ├─► Description ─ document() ─► docs/asyncapi.json
//! ServerMessage ─ server::all ─┘
//! ```

pub mod client;
mod codes;
mod description;
mod document;
mod field;
mod kind;
pub mod limits;
mod message;
pub mod server;

pub use description::{Description, Occasion};
pub use document::document;
pub use field::{Field, Presence};
pub use kind::Kind;
