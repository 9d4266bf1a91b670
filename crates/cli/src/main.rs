//! The `securecall` command.
fn main() {}
