//! The origin of a value.

use std::fmt;
use std::path::PathBuf;

/// The origin of a value. Later ones override earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// The built-in default, lowered to the process's limit of open files.
    DescriptorLimit,
    /// A file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// This flag, with its two dashes.
    Flag(String),
}

impl Origin {
    /// Returns true if the value was not set anywhere.
    pub(crate) const fn is_built_in(&self) -> bool {
        matches!(self, Self::Default | Self::DescriptorLimit)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::DescriptorLimit => f.write_str("default, lowered to the limit of open files"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}
