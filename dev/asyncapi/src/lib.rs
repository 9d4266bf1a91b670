//! The signaling protocol as an AsyncAPI 3 document with JSON Schemas (draft 7).
//!
//! This crate refuses to know the protocol by itself. It takes messages, their names, codes and
//! reasons from `securecall-protocol`; the rest (a field's meaning in words, and its name in JSON)
//! stands in two tables, [`client`] and [`server`]. They are exhaustive matches, so a message or a
//! field that is added to the protocol does not compile here until it is described; and the tests
//! compare every line of them with what the encoder writes and the decoder reads.
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
