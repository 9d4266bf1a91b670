//! Text ⇄ messages: every documented message, word for word, and whatever else may come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod any_text;
mod dialect_two;
mod documented;
mod encoded;
mod hostile;
mod oracle;
mod secrecy;
