//! The report of a run.

mod html;
mod numbers;
mod plot;
mod ruler;
mod table;
mod times;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

pub use self::times::Times;
use crate::failure::Failures;
use crate::plan::Plan;
use crate::process_usage::Usage;
use crate::recording::{Measure, Recording};
use crate::run::Sample;

/// The result of one run. Times are in microseconds, sizes in bytes.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The name of the workload.
    pub scenario: &'static str,
    /// The plan that was run.
    pub plan: Plan,
    /// Event loops of the generator.
    pub workers: usize,
    /// Processes of the generator.
    pub processes: usize,
    /// It was stopped before its time.
    pub interrupted: bool,
    /// The set-up: clients that connect and register.
    pub set_up: SetUp,
    /// The traffic during the measurement.
    pub traffic: Traffic,
    /// From when a message was due, or sent, to its arrival.
    pub latency: Option<Times>,
    /// From when a message was due to when the generator sent it.
    pub lateness: Option<Times>,
    /// From CALL_INITIATE to CALL_ACCEPTED.
    pub answer: Option<Times>,
    /// From CALL_INITIATE to the end of the call.
    pub call: Option<Times>,
    /// From the loss of all connections to REGISTERED again.
    pub reconnect: Option<Times>,
    /// The server's usage, if its process was named.
    pub server: Option<ServerCost>,
    /// The generator's own usage.
    pub generator: GeneratorCost,
    /// Connections that were refused in a storm and tried again, by why.
    pub refusals: BTreeMap<String, u64>,
    /// Failures by kind.
    pub failures: BTreeMap<String, u64>,
    /// Advice about them for the operator.
    pub advice: Vec<&'static str>,
    /// Samples over time.
    pub timeline: Vec<Sample>,
}

/// The set-up: clients that connect and register.
#[derive(Clone, Debug, Serialize)]
pub struct SetUp {
    /// Clients that were asked for.
    pub clients: usize,
    /// Clients that were ready when the traffic began.
    pub ready: usize,
    /// Clients that were still connected at the end.
    pub ready_at_end: usize,
    /// From the first connection to the last client that was ready, in seconds.
    pub seconds: f64,
    /// Clients that became ready in a second.
    pub per_second: f64,
    /// From the start of a connection to REGISTERED.
    pub time: Option<Times>,
}

/// The traffic during the measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Traffic {
    /// The length of the measurement, in seconds.
    pub seconds: f64,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that arrived.
    pub received: u64,
    /// Messages that arrived in a second.
    pub received_per_second: f64,
    /// Calls, or offers, that went through.
    pub calls: u64,
    /// Calls in a second.
    pub calls_per_second: f64,
}

/// The server's usage.
#[derive(Clone, Debug, Serialize)]
pub struct ServerCost {
    /// Processor time while it was measured, in seconds.
    pub cpu_seconds: f64,
    /// The same as a number of processors.
    pub cpus: f64,
    /// Processor time for each message that arrived, in microseconds.
    pub cpu_per_message: Option<f64>,
    /// Processor time for each call.
    pub cpu_per_call: Option<f64>,
    /// Processor time for a client to connect and register, and its part of a call set-up.
    pub cpu_per_set_up: Option<f64>,
    /// Processor time for a client to lose its connection and come back, in a storm.
    pub cpu_per_reconnect: Option<f64>,
    /// Processor time for a client to leave.
    pub cpu_per_leave: Option<f64>,
    /// Resident memory before the first connection.
    pub rss_before: u64,
    /// Resident memory with all clients ready.
    pub rss_ready: u64,
    /// Resident memory at the end of the measurement.
    pub rss_end: u64,
    /// Resident memory after all clients left.
    pub rss_after: u64,
    /// Memory added by one ready client. `None` if memory did not grow: the server had it already
    /// from earlier clients.
    pub rss_per_client: Option<f64>,
}

/// The generator's usage during the measurement.
#[derive(Clone, Debug, Serialize)]
pub struct GeneratorCost {
    /// Processor time, in seconds.
    pub cpu_seconds: f64,
    /// The same as a number of processors.
    pub cpus: f64,
    /// Processor time for each message that arrived, in microseconds.
    pub cpu_per_message: Option<f64>,
}

/// The measurements that a report is computed from.
pub(crate) struct Measured<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) workers: usize,
    pub(crate) processes: usize,
    pub(crate) interrupted: bool,
    pub(crate) set_up: Duration,
    pub(crate) ready: usize,
    pub(crate) ready_at_end: usize,
    pub(crate) measured: Duration,
    /// Before, when all were ready, at the begin and the end of the measurement, at rest.
    pub(crate) usage: [Option<Usage>; 5],
    pub(crate) generator_cpu: Duration,
    pub(crate) recording: Recording,
    pub(crate) timeline: Vec<Sample>,
}

impl Report {
    pub(crate) fn new(measured: Measured<'_>) -> Self {
        let recording = &measured.recording;
        let times = |measure| Times::of(recording.times(measure));
        Self {
            scenario: measured.plan.workload.name(),
            plan: measured.plan.clone(),
            workers: measured.workers,
            processes: measured.processes,
            interrupted: measured.interrupted,
            set_up: SetUp {
                clients: measured.plan.workload.clients(),
                ready: measured.ready,
                ready_at_end: measured.ready_at_end,
                seconds: measured.set_up.as_secs_f64(),
                per_second: measured.ready as f64 / measured.set_up.as_secs_f64(),
                time: times(Measure::SetUp),
            },
            traffic: Traffic::new(recording, measured.measured),
            latency: times(Measure::Latency),
            lateness: times(Measure::Lateness),
            answer: times(Measure::Answer),
            call: times(Measure::Call),
            reconnect: times(Measure::Reconnect),
            server: ServerCost::new(&measured),
            generator: GeneratorCost {
                cpu_seconds: measured.generator_cpu.as_secs_f64(),
                cpus: measured.generator_cpu.as_secs_f64() / measured.measured.as_secs_f64(),
                cpu_per_message: micros_per(measured.generator_cpu, recording.received),
            },
            refusals: by_name(&recording.refusals),
            failures: by_name(&recording.failures),
            advice: recording.failures.advice().collect(),
            timeline: measured.timeline,
        }
    }

    /// The number of failures of all kinds.
    pub fn failures_total(&self) -> u64 {
        self.failures.values().sum()
    }
}

impl Traffic {
    fn new(recording: &Recording, measured: Duration) -> Self {
        let seconds = measured.as_secs_f64();
        Self {
            seconds,
            sent: recording.sent,
            received: recording.received,
            received_per_second: recording.received as f64 / seconds,
            calls: recording.calls,
            calls_per_second: recording.calls as f64 / seconds,
        }
    }
}

impl ServerCost {
    fn new(measured: &Measured<'_>) -> Option<Self> {
        let [Some(before), Some(ready), Some(begin), Some(end), Some(rest)] = measured.usage else {
            return None;
        };
        let clients = measured.ready as u64;
        let cpu = end.cpu.saturating_sub(begin.cpu);
        let grown = ready.rss_bytes as f64 - before.rss_bytes as f64;
        Some(Self {
            cpu_seconds: cpu.as_secs_f64(),
            cpus: cpu.as_secs_f64() / measured.measured.as_secs_f64(),
            cpu_per_message: micros_per(cpu, measured.recording.received),
            cpu_per_call: micros_per(cpu, measured.recording.calls),
            cpu_per_set_up: micros_per(ready.cpu.saturating_sub(before.cpu), clients),
            cpu_per_reconnect: micros_per(cpu, measured.recording.times(Measure::Reconnect).len()),
            cpu_per_leave: micros_per(
                rest.cpu.saturating_sub(end.cpu),
                measured.ready_at_end as u64,
            ),
            rss_before: before.rss_bytes,
            rss_ready: ready.rss_bytes,
            rss_end: end.rss_bytes,
            rss_after: rest.rss_bytes,
            rss_per_client: (clients > 0 && grown > 0.0).then(|| grown / clients as f64),
        })
    }
}

/// Microseconds of processor time each. `None` if `count` is 0.
fn micros_per(cpu: Duration, count: u64) -> Option<f64> {
    (count > 0).then(|| cpu.as_secs_f64() * 1e6 / count as f64)
}

fn by_name(failures: &Failures) -> BTreeMap<String, u64> {
    failures.iter().map(|(failure, times)| (failure.to_string(), times)).collect()
}
