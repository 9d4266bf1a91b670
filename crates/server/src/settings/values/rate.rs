//! A token bucket as a setting.

use std::fmt;
use std::str::FromStr;

use securecall_protocol::{DefaultRate, MessageClass};

/// A token bucket, written `BURST/PER_SECOND`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The tokens of a full bucket.
    pub burst: u32,
    /// The tokens that are added each second.
    pub per_second: f64,
}

impl Rate {
    /// The bounds of the rate: above them a bucket limits nothing, and a thousandth is one token in
    /// 17 minutes.
    const PER_SECOND: std::ops::RangeInclusive<f64> = 0.001..=1e6;
    const BURST: std::ops::RangeInclusive<u32> = 1..=1_000_000;

    /// Returns the default rate of a message class.
    pub(crate) const fn default_of(class: MessageClass) -> Self {
        let DefaultRate { burst, per_second } = class.default_rate();
        Self { burst, per_second }
    }

    /// Returns true if it allows everything that `other` allows.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.burst >= other.burst && self.per_second >= other.per_second
    }

    /// Returns the least rate that covers both.
    pub(crate) fn or_more(self, other: Self) -> Self {
        Self {
            burst: self.burst.max(other.burst),
            per_second: self.per_second.max(other.per_second),
        }
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (burst, per_second) = text.split_once('/').ok_or(InvalidRate)?;
        let burst = burst.trim().parse().map_err(|_| InvalidRate)?;
        let per_second = per_second.trim().parse().map_err(|_| InvalidRate)?;
        // NaN is in no range.
        let usable = Self::BURST.contains(&burst) && Self::PER_SECOND.contains(&per_second);
        usable.then_some(Self { burst, per_second }).ok_or(InvalidRate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.burst, self.per_second)
    }
}

/// An error: the text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be BURST/PER_SECOND, such as 20/1: a burst of 1 to 1000000, \
     and 0.001 to 1000000 a second"
)]
pub struct InvalidRate;
