//! Scales: the position of a value along an axis of a plot.

use super::numbers::{grouped, trimmed};

/// The spacing of values along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Seconds, from zero to the last value.
    Time,
    /// From zero, evenly, to a round number.
    Linear,
    /// Each decade as long as the others.
    Logarithmic,
    /// Quantiles: each further nine as long as the others.
    Nines,
}

/// A scale with its range, in values and in drawing units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ruler {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// Steps between ticks of time, in seconds.
const TIME_STEPS: [f64; 13] =
    [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0];
const TIME_TICKS_MAX: f64 = 8.0;

const NINES: [(&str, f64); 8] = [
    ("0", 0.0),
    ("50 %", 0.5),
    ("90 %", 0.9),
    ("99 %", 0.99),
    ("99.9 %", 0.999),
    ("99.99 %", 0.9999),
    ("99.999 %", 0.99999),
    ("99.9999 %", 0.999_999),
];

impl Ruler {
    /// A ruler that holds all values.
    pub(super) fn new(scale: Scale, values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let bent = values.map(|value| scale.bend(value));
        let (least, most) = bent.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = match scale {
            Scale::Time => (0.0, most.max(0.1)),
            Scale::Linear => (0.0, round_above(most)),
            Scale::Logarithmic => (least.floor(), most.ceil().max(least.floor() + 1.0)),
            Scale::Nines => (0.0, most.max(1.0)),
        };
        Self { scale, low, high, from, to }
    }

    /// The position at which `value` is drawn.
    pub(super) fn at(&self, value: f64) -> f64 {
        let part = (self.scale.bend(value) - self.low) / (self.high - self.low);
        self.from + part * (self.to - self.from)
    }

    /// The values that get a line and a label.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Time => {
                let fits = |step: &f64| self.high / step <= TIME_TICKS_MAX;
                let step = TIME_STEPS.into_iter().find(fits).unwrap_or(self.high);
                let values = (0..=(self.high / step) as u32).map(|n| f64::from(n) * step);
                values.map(|value| (value, self.scale.label(value))).collect()
            }
            Scale::Linear => {
                let values = (0..=4).map(|quarter| self.high * f64::from(quarter) / 4.0);
                values.map(|value| (value, short(value))).collect()
            }
            Scale::Logarithmic => {
                let values = (self.low as i32..=self.high as i32).map(|decade| 10f64.powi(decade));
                values.map(|value| (value, short(value))).collect()
            }
            Scale::Nines => {
                let within = |quantile: f64| self.scale.bend(quantile) <= self.high + 1e-9;
                let ticks = NINES.into_iter().filter(|(_, quantile)| within(*quantile));
                ticks.map(|(label, quantile)| (quantile, label.to_owned())).collect()
            }
        }
    }
}

impl Scale {
    fn bend(self, value: f64) -> f64 {
        match self {
            Self::Time | Self::Linear => value,
            // Nothing here is less than a nanosecond, in microseconds.
            Self::Logarithmic => value.max(1e-3).log10(),
            Self::Nines => -(1.0 - value).max(1e-9).log10(),
        }
    }

    /// A value as text.
    pub(super) fn label(self, value: f64) -> String {
        match self {
            Self::Time => format!("{} s", trimmed(value)),
            Self::Nines => format!("{} %", trimmed(100.0 * value)),
            Self::Linear | Self::Logarithmic => grouped(value),
        }
    }
}

/// The next number whose quarters are round.
fn round_above(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let round = [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0].map(|factor| factor * power);
    round.into_iter().find(|round| *round >= value).unwrap_or(10.0 * power)
}

/// A number for an axis: with k and M, or with the decimals that it takes.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{} M", trimmed(value / 1e6)),
        v if v >= 1e4 => format!("{} k", trimmed(value / 1e3)),
        v if v >= 1e3 => grouped(value),
        _ => trimmed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_ends_at_a_round_number() {
        for (most, end) in [(0.0, 1.0), (0.7, 0.8), (1.0, 1.0), (173_068.0, 200_000.0), (9.1, 10.0)]
        {
            assert!((round_above(most) - end).abs() < 1e-9, "{most}");
        }
    }

    #[test]
    fn each_nine_is_as_long_as_the_others() {
        let ruler = Ruler::new(Scale::Nines, [0.0, 0.999].into_iter(), 0.0, 300.0);
        for (quantile, at) in [(0.0, 0.0), (0.9, 100.0), (0.99, 200.0), (0.999, 300.0)] {
            assert!((ruler.at(quantile) - at).abs() < 1e-6, "{quantile}");
        }
        assert_eq!(ruler.ticks().last().unwrap().1, "99.9 %");
    }

    #[test]
    fn an_axis_of_time_has_few_ticks() {
        for seconds in [0.3, 5.0, 61.0, 3000.0] {
            let ticks = Ruler::new(Scale::Time, [seconds].into_iter(), 0.0, 1.0).ticks();
            assert!((2..=9).contains(&ticks.len()), "{seconds}: {ticks:?}");
        }
    }
}
