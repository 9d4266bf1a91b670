//! A histogram in the numbers that people compare.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Percentiles, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// How many there were.
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
    /// The percentiles of times in nanoseconds. None: there are none.
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

/// Five points for each halving of the rest, as far as there are values to tell.
fn curve(nanos: &Histogram<u64>) -> Vec<(f64, f64)> {
    let points = nanos.iter_quantiles(5);
    points.map(|point| (point.quantile(), point.value_iterated_to() as f64 / 1e3)).collect()
}
