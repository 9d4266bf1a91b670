//! Files that the commands read and write.

pub(crate) mod folder;
pub(crate) mod identity_file;
