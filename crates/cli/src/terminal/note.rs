//! Words for people: standard output is for what was asked for.

use std::io::{self, Write as _};

use crate::failure::Failure;

pub(crate) fn note(text: &str) -> Result<(), Failure> {
    writeln!(io::stderr(), "{text}").map_err(Failure::Output)
}
