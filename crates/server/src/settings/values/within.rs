//! Values with a minimum and a maximum.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration as StdDuration;

use humantime::Duration;

/// Parses a value and refuses it outside `range`. The error names the range.
pub(crate) fn within<T>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    within_named("a number", range)
}

/// [`within`] with the name of the kind of value, for a text that is not one.
fn within_named<T>(
    kind: &'static str,
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let (min, max) = (range.start(), range.end());
        // The parser's own error describes its grammar, and not the setting.
        let value: T = text.parse().map_err(|_| format!("must be {kind} from {min} to {max}"))?;
        if range.contains(&value) { Ok(value) } else { Err(format!("must be from {min} to {max}")) }
    }
}

/// Parses a duration in milliseconds as [`within`] does.
pub(crate) fn within_ms(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    let duration = |ms: &u64| Duration::from(StdDuration::from_millis(*ms));
    within_named("a duration with its unit,", duration(range.start())..=duration(range.end()))
}

pub(crate) const SECOND: u64 = 1000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;

pub(crate) const KIB: usize = 1024;
pub(crate) const MIB: usize = 1024 * KIB;
