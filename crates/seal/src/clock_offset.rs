//! The difference of two clocks.

use std::fmt;

/// The offset of the clock that dated an offer, relative to our own.
///
/// ```
/// use securecall_seal::ClockOffset;
///
/// assert_eq!(ClockOffset::from_seconds(423).to_string(), "7 min 3 s ahead of");
/// assert_eq!(ClockOffset::from_seconds(-7_200).to_string(), "2 h behind");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClockOffset(i64);

impl ClockOffset {
    /// Over zero: the clock is ahead of ours. Below: it is behind.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Of what was dated `created`, at `now`, both in seconds since 1970.
    pub(crate) fn of(created: u64, now: u64) -> Self {
        let apart = i64::try_from(created.abs_diff(now)).unwrap_or(i64::MAX);
        Self(if created < now { -apart } else { apart })
    }

    /// Over zero: the clock is ahead of ours. Below: it is behind.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The other explanation of an offset of this kind: an offer of the past may have been delayed,
    /// one of the future cannot.
    pub(crate) const fn doubt(self) -> &'static str {
        if self.0 < 0 { ", or the offer was delayed" } else { "" }
    }
}

impl fmt::Display for ClockOffset {
    /// The two largest units, and the direction: "7 min 3 s ahead of".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
        let seconds = self.0.unsigned_abs();
        let largest =
            UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
        let mut rest = seconds;
        for (at, (unit, name)) in UNITS.iter().enumerate().skip(largest).take(2) {
            let count = rest / unit;
            rest %= unit;
            if count > 0 || at == largest {
                write!(f, "{count} {name} ")?;
            }
        }
        f.write_str(if self.0 < 0 { "behind" } else { "ahead of" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_in_words_a_person_can_set_a_clock_by() {
        for (seconds, words) in [
            (301, "5 min 1 s ahead of"),
            (-3_600, "1 h behind"),
            (-93_784, "1 d 2 h behind"),
            (0, "0 s ahead of"),
            (i64::MIN, "106751991167300 d 15 h behind"),
        ] {
            assert_eq!(ClockOffset(seconds).to_string(), words);
        }
    }

    #[test]
    fn times_at_the_ends_of_their_type_do_not_overflow() {
        assert_eq!(ClockOffset::of(u64::MAX, 0).seconds(), i64::MAX);
        assert_eq!(ClockOffset::of(0, u64::MAX).seconds(), -i64::MAX);
    }
}
