//! Where a value comes from.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from. Later ones win over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// Built in, but lowered to what the process may have open.
    DescriptorLimit,
    /// A file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// This flag, with its two dashes.
    Flag(String),
}

impl Origin {
    /// Returns `true` if nobody has set the value.
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
