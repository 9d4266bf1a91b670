//! The readable record of a run.

use std::fmt::Display;

use securecall_core::Instant;

/// The output of a run. Runs of many seeds are silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// Nowhere.
    Off,
    /// To standard output, as they happen.
    Print,
}

impl Trace {
    #[expect(clippy::print_stdout, reason = "a trace is for a person at a terminal")]
    pub(crate) fn note(self, now: Instant, what: impl Display) {
        if self == Self::Print {
            let millis = now.as_millis();
            println!("{:>8}.{:03}  {what}", millis / 1000, millis % 1000);
        }
    }
}
