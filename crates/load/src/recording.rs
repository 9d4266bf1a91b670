//! The counts and times of one worker.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::clock::Nanos;
use crate::failure::{Failure, Failures};

/// Three digits: a value is off by 0.1 % at most.
const DIGITS: u8 = 3;
/// The resolution of the histograms: 100 ns.
const NANOS_MIN: Nanos = 100;
/// Whatever takes an hour or more counts as an hour.
const NANOS_MAX: Nanos = 3_600 * 1_000_000_000;

/// Something that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// From the start of a connection to REGISTERED.
    SetUp,
    /// From when a message was due, or sent, to its arrival at the other end. In `offers` and
    /// `calls` the message is the offer.
    Latency,
    /// From when a message was due to when the generator sent it: its own lateness.
    Lateness,
    /// From CALL_INITIATE to CALL_ACCEPTED at the caller.
    Answer,
    /// From CALL_INITIATE to the last message of the call.
    Call,
    /// From the loss of all connections to REGISTERED again.
    Reconnect,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::SetUp, Self::Latency, Self::Lateness, Self::Answer, Self::Call, Self::Reconnect];
}

/// Counts and histograms.
///
/// Everything but the failures counts only inside the window in which the run is measured.
#[derive(Debug)]
pub struct Recording {
    /// Messages handed to the operating system.
    pub sent: u64,
    /// Messages that arrived.
    pub received: u64,
    /// Calls, or offers, that went through.
    pub calls: u64,
    /// Connections that were refused in a storm, and tried again.
    pub refusals: Failures,
    /// Failures of the whole run.
    pub failures: Failures,
    histograms: [Histogram<u64>; Measure::ALL.len()],
    /// The latencies since the last look at them.
    recent: Histogram<u64>,
    window: Window,
}

/// When the run is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Before,
    Open {
        since: Nanos,
    },
    /// Messages in flight at the close still count as latency when they arrive.
    Closed {
        since: Nanos,
        at: Nanos,
    },
}

impl Recording {
    /// An empty recording.
    ///
    /// # Errors
    /// Never in practice: the histograms' bounds are constants.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let histogram = Histogram::new_with_bounds(NANOS_MIN, NANOS_MAX, DIGITS)?;
        Ok(Self {
            sent: 0,
            received: 0,
            calls: 0,
            refusals: Failures::default(),
            failures: Failures::default(),
            histograms: std::array::from_fn(|_| histogram.clone()),
            recent: histogram,
            window: Window::Before,
        })
    }

    /// The times of one kind, in nanoseconds.
    pub fn times(&self, measure: Measure) -> &Histogram<u64> {
        &self.histograms[measure as usize]
    }

    /// From now on it counts. The times of the set-up stay.
    pub(crate) fn open_window(&mut self, now: Nanos) {
        (self.sent, self.received, self.calls) = (0, 0, 0);
        for measure in Measure::ALL.into_iter().filter(|measure| *measure != Measure::SetUp) {
            self.histograms[measure as usize].clear();
        }
        self.recent.clear();
        self.window = Window::Open { since: now };
    }

    pub(crate) fn close_window(&mut self, now: Nanos) {
        if let Window::Open { since } = self.window {
            self.window = Window::Closed { since, at: now };
        }
    }

    /// Returns true if something begun at `begun` is inside the measurement.
    #[inline]
    fn covers(&self, begun: Nanos) -> bool {
        match self.window {
            Window::Before => true,
            Window::Open { since } => begun >= since,
            Window::Closed { since, at } => begun >= since && begun < at,
        }
    }

    #[inline]
    pub(crate) fn note_sent(&mut self, messages: u64) {
        if !matches!(self.window, Window::Closed { .. }) {
            self.sent += messages;
        }
    }

    /// A message arrived that was stamped with `begun`.
    #[inline]
    pub(crate) fn note_received(&mut self, begun: Nanos, now: Nanos) {
        if !matches!(self.window, Window::Closed { .. }) {
            self.received += 1;
        }
        if self.covers(begun) {
            let latency = now.saturating_sub(begun);
            self.histograms[Measure::Latency as usize].saturating_record(latency);
            self.recent.saturating_record(latency);
        }
    }

    /// A client is registered that began to connect at `begun`. Those that come back later, in a
    /// storm, have a measure of their own.
    pub(crate) fn note_set_up(&mut self, begun: Nanos, now: Nanos) {
        if self.window == Window::Before {
            self.note_time(Measure::SetUp, begun, now);
        }
    }

    /// A message arrived whose latency is of no interest.
    #[inline]
    pub(crate) fn note_arrived(&mut self) {
        if !matches!(self.window, Window::Closed { .. }) {
            self.received += 1;
        }
    }

    pub(crate) fn note_call(&mut self) {
        if !matches!(self.window, Window::Closed { .. }) {
            self.calls += 1;
        }
    }

    /// Something ended that began at `begun`.
    #[inline]
    pub(crate) fn note_time(&mut self, measure: Measure, begun: Nanos, now: Nanos) {
        if self.covers(begun) {
            self.histograms[measure as usize].saturating_record(now.saturating_sub(begun));
        }
    }

    pub(crate) fn note_failure(&mut self, failure: Failure) {
        self.failures.add(failure, 1);
    }

    pub(crate) fn note_refusal(&mut self, failure: Failure) {
        self.refusals.add(failure, 1);
    }

    /// The latencies since the last call.
    pub(crate) fn take_recent(&mut self) -> Recent {
        let recent = Recent {
            count: self.recent.len(),
            p50: self.recent.value_at_quantile(0.5),
            p99: self.recent.value_at_quantile(0.99),
        };
        self.recent.clear();
        recent
    }

    /// Adds what another worker recorded.
    pub(crate) fn merge(&mut self, other: &Recorded) {
        self.sent += other.sent;
        self.received += other.received;
        self.calls += other.calls;
        self.refusals.merge(&other.refusals);
        self.failures.merge(&other.failures);
        for (histogram, counts) in self.histograms.iter_mut().zip(&other.times) {
            for (value, count) in counts {
                histogram.saturating_record_n(*value, *count);
            }
        }
    }

    /// All of it, to be sent to another process.
    pub(crate) fn to_recorded(&self) -> Recorded {
        Recorded {
            sent: self.sent,
            received: self.received,
            calls: self.calls,
            refusals: self.refusals.clone(),
            failures: self.failures.clone(),
            times: self.histograms.iter().map(counts).collect(),
        }
    }
}

fn counts(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let values = histogram.iter_recorded();
    values.map(|value| (value.value_iterated_to(), value.count_at_value())).collect()
}

/// Percentiles of a fraction of a second, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Recent {
    pub(crate) count: u64,
    pub(crate) p50: Nanos,
    pub(crate) p99: Nanos,
}

impl Recent {
    /// Adds what came before: of the percentiles the worse ones, for they cannot be added.
    pub(crate) fn join(&mut self, before: Self) {
        self.count += before.count;
        self.p50 = self.p50.max(before.p50);
        self.p99 = self.p99.max(before.p99);
    }
}

/// A recording on its way between processes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) calls: u64,
    pub(crate) refusals: Failures,
    pub(crate) failures: Failures,
    times: Vec<Vec<(u64, u64)>>,
}
