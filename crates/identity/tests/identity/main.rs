//! The crate from outside: test vectors, properties, and what `Debug` shows.

mod fixtures;
mod properties;

mod raw;
mod redaction;
mod vectors;
