//! Messages for the user on standard error. Standard output is for the results of commands.

use std::io::{self, Write as _};

use crate::failure::Failure;

pub(crate) fn print_message(text: &str) -> Result<(), Failure> {
    writeln!(io::stderr(), "{text}").map_err(Failure::Output)
}
