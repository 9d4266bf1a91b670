//! A rule that was broken.

/// A broken rule, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub(crate) String);

/// Reports a violation unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err($crate::violation::Violation(format!($($words)+)));
        }
    };
}

pub(crate) use ensure;
