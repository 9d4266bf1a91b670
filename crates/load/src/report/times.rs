//! A histogram in the numbers that people compare.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Percentiles, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// The number of values.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// Half were at most this.
    pub p50: f64,
    /// Nine in ten.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p99_9: f64,
    /// 99.99 %.
    pub p99_99: f64,
    /// The longest.
    pub max: f64,
    /// Points of the whole distribution: a quantile, and the time that it has.
    pub curve: Vec<(f64, f64)>,
}

impl Times {
    /// The percentiles of times in nanoseconds. `None` if there are no values.
    pub(crate) fn of(nanos: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| nanos.value_at_quantile(quantile) as f64 / 1e3;
        (!nanos.is_empty()).then(|| Self {
            count: nanos.len(),
            mean: nanos.mean() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            p99_99: at(0.9999),
            max: nanos.max() as f64 / 1e3,
            curve: curve(nanos),
        })
    }
}

/// Five points for each halving of the rest, up to the last one that the number of values supports:
/// 100 values have no 99.9th percentile.
fn curve(nanos: &Histogram<u64>) -> Vec<(f64, f64)> {
    let last = 1.0 - 1.0 / (nanos.len() + 1) as f64;
    let mut points: Vec<_> = nanos
        .iter_quantiles(5)
        .map(|point| (point.quantile().min(last), point.value_iterated_to() as f64 / 1e3))
        .collect();
    points.dedup_by_key(|(quantile, _)| *quantile);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(nanos: impl Iterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(100, 1_000_000_000, 3).unwrap();
        nanos.for_each(|value| histogram.saturating_record(value));
        histogram
    }

    #[test]
    fn percentiles_are_those_of_the_values_in_microseconds() {
        let times = Times::of(&histogram((1..=1000).map(|n| n * 1000))).unwrap();
        assert_eq!(times.count, 1000);
        for (value, exact) in [(times.p50, 500.0), (times.p99, 990.0), (times.max, 1000.0)] {
            assert!((value / exact - 1.0).abs() < 0.002, "{value} is not {exact}");
        }
        assert_eq!(Times::of(&histogram([].into_iter())), None);
    }

    #[test]
    fn a_curve_rises_and_ends_where_the_values_run_out() {
        let times = Times::of(&histogram((1..=100).map(|n| n * 1000))).unwrap();
        assert!(times.curve.is_sorted());
        assert!(times.curve.last().unwrap().0 < 0.991);
    }
}
