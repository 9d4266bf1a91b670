//! The number of threads that serve connections.

use std::fmt;
use std::num::NonZero;
use std::str::FromStr;
use std::thread::available_parallelism;

/// The number of threads that serve connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// One for each core that this process may use.
    Auto,
    /// This many.
    Exactly(NonZero<usize>),
}

impl Workers {
    /// The bound: more threads than any machine has cores must be a typing error.
    const MAX: usize = 1024;

    /// Returns the number of threads, at least 1.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Auto => available_parallelism().map_or(1, NonZero::get),
            Self::Exactly(count) => count.get(),
        }
    }
}

impl FromStr for Workers {
    type Err = InvalidWorkers;

    fn from_str(text: &str) -> Result<Self, InvalidWorkers> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let count: NonZero<usize> = text.parse().map_err(|_| InvalidWorkers)?;
        if count.get() > Self::MAX { Err(InvalidWorkers) } else { Ok(Self::Exactly(count)) }
    }
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Exactly(count) => count.fmt(f),
        }
    }
}

/// An error: the text is not a number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be auto (one for each core) or from 1 to {}", Workers::MAX)]
pub struct InvalidWorkers;
