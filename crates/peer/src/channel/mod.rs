//! The data channel: its frames, chat lines and files.

pub(crate) mod allowance;
pub(crate) mod file_name;
pub(crate) mod frame;
pub(crate) mod inbox;
pub(crate) mod incoming_file;
pub(crate) mod outbox;
pub(crate) mod verdict;
