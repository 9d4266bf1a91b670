//! Samples over time, for plots and the progress bar.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::fleet::Fleet;
use crate::plan::Plan;
use crate::process_usage::Usage;
use crate::worker::Snapshot;

/// No more samples than a plot can show.
const SAMPLES: u32 = 300;
/// Workers report their progress ten times a second.
const INTERVAL_MIN: Duration = Duration::from_millis(200);

/// A moment of a run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Sample {
    /// Since the run began, in seconds.
    pub at: f64,
    /// True during the measurement.
    pub measured: bool,
    /// Clients that are ready.
    pub ready: usize,
    /// Messages that arrive in a second.
    pub received_per_second: f64,
    /// The median latency since the last sample, in microseconds. Of several workers, the worst.
    pub latency_p50: f64,
    /// The 99th percentile, likewise.
    pub latency_p99: f64,
    /// Processors used by the server since the last sample.
    pub server_cpus: Option<f64>,
    /// The server's resident memory, in bytes.
    pub server_rss: Option<u64>,
}

/// Takes samples.
pub(super) struct Timeline {
    begun: Instant,
    interval: Duration,
    taken: Instant,
    measured: bool,
    /// The last snapshot of each worker, and its messages per second.
    last: Vec<(Snapshot, f64)>,
    last_cpu: Option<Duration>,
    samples: Vec<Sample>,
}

impl Timeline {
    pub(super) fn new(plan: &Plan) -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            interval: (plan.duration / SAMPLES).max(INTERVAL_MIN),
            taken: now,
            measured: false,
            last: Vec::new(),
            last_cpu: None,
            samples: Vec::new(),
        }
    }

    /// From now on samples are of what is measured.
    pub(super) fn measuring(&mut self) {
        self.measured = true;
    }

    pub(super) fn finishing(&mut self) {
        self.measured = false;
    }

    /// Returns true if another sample is due.
    pub(super) fn is_stale(&self) -> bool {
        self.taken.elapsed() > self.interval / 4
    }

    pub(super) fn until_next_sample(&self) -> Duration {
        self.interval.saturating_sub(self.taken.elapsed())
    }

    /// Takes a sample.
    pub(super) fn take(&mut self, fleet: &mut Fleet, usage: Option<Usage>) -> Sample {
        let elapsed = self.taken.elapsed().as_secs_f64();
        self.taken = Instant::now();
        let states = fleet.states_mut();
        self.last.resize(states.len(), Default::default());
        let mut sample = Sample {
            at: self.begun.elapsed().as_secs_f64(),
            measured: self.measured,
            server_rss: usage.map(|usage| usage.rss_bytes),
            ..Sample::default()
        };
        for ((last, rate), state) in self.last.iter_mut().zip(states) {
            let now = state.take_snapshot();
            sample.ready += now.ready;
            *rate = now.received_per_second_since(last).unwrap_or(*rate);
            sample.received_per_second += *rate;
            sample.latency_p50 = sample.latency_p50.max(now.recent.p50 as f64 / 1e3);
            sample.latency_p99 = sample.latency_p99.max(now.recent.p99 as f64 / 1e3);
            *last = now;
        }
        let cpu = usage.map(|usage| usage.cpu);
        sample.server_cpus = cpu
            .zip(self.last_cpu)
            .map(|(cpu, last)| cpu.saturating_sub(last).as_secs_f64() / elapsed);
        self.last_cpu = cpu;
        self.samples.push(sample);
        sample
    }

    pub(super) fn into_samples(self) -> Vec<Sample> {
        self.samples
    }
}
