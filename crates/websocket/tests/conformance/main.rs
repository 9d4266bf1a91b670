//! The cases of the Autobahn test suite (sections 1–7, 9 and 10), against an echo endpoint in
//! memory that is built on this crate. Sections 11–13 test compression, which we never negotiate;
//! section 8 does not exist.
//!
//! A case is the raw frames that a client sends and what must come back. Every case runs several
//! times with the same bytes cut into reads of different sizes, which must change nothing: that
//! covers the suite's "chopped" variants. The names of the cases are the suite's numbers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod case;
mod echo;
mod frame;

mod beyond_autobahn;
mod section_01_framing;
mod section_02_pings;
mod section_03_reserved_bits;
mod section_04_opcodes;
mod section_05_fragmentation;
mod section_06_utf8;
mod section_07_closing;
mod section_09_limits;
mod section_10_auto_fragmentation;
