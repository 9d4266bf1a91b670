//! One run, from the first connection to the report.
//!
//! ```text
//! set up ─► (start) warm up ─► (measure) ─► (finish) drain ─► (close) wait until the server rests
//!        a                               b             c                                       d
//! ```
//! Processor time and memory are read at the letters. Clients that connect and register cost
//! a − before, messages c − b, and clients that leave d − c.

mod fleet;
mod quiet;
mod timeline;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use self::fleet::Fleet;
pub use self::timeline::Sample;
use self::timeline::Timeline;
use crate::failure::Failures;
use crate::plan::{InvalidPlan, Plan};
use crate::process_usage::Usage;
use crate::recording::Recording;
use crate::report::{Measured, Report};
use crate::target::{Target, TargetError};
use crate::worker::{Command, Snapshot};

/// The time that workers have to send their recordings, beyond the drain.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The URL is not one, or not to be put under load.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A number is out of bounds.
    #[error(transparent)]
    Plan(#[from] InvalidPlan),
    /// No process has this id, or it is not ours to look at.
    #[error("cannot read the processor time and memory of process {pid}: {source}")]
    ServerPid {
        /// The id that was given.
        pid: u32,
        /// Why.
        source: io::Error,
    },
    /// More clients than this process may have descriptors, and no program to start others.
    #[error("{clients} clients need more than the {descriptors} descriptors of one process")]
    Descriptors {
        /// The clients of the plan.
        clients: usize,
        /// The file descriptors that are available.
        descriptors: usize,
    },
    /// Not one client is ready.
    #[error("no client could connect and register: {}", list(.0))]
    NobodyReady(Failures),
    /// A worker ended before its time.
    #[error("the load generator failed: {0}")]
    Worker(String),
    /// The operating system refused what a worker needs.
    #[error("the operating system refused what the load generator needs: {0}")]
    System(#[from] io::Error),
}

fn list(failures: &Failures) -> String {
    let kinds = failures.iter().map(|(failure, times)| format!("{failure} ({times} times)"));
    let advice = failures.advice().map(|advice| format!("\n  {advice}"));
    format!("{}{}", kinds.collect::<Vec<_>>().join(", "), advice.collect::<String>())
}

/// The command that starts a worker process: a program that calls
/// [`serve_parent`](crate::serve_parent).
#[derive(Clone, Debug)]
pub struct WorkerProgram {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// The stage of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Clients connect, register, and set up their calls.
    SettingUp,
    /// There is traffic, and it does not count yet.
    WarmingUp,
    /// Traffic is measured.
    Measuring,
    /// Messages in flight arrive, and the connections are closed.
    Finishing,
}

/// The progress of a run.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The stage that it is in.
    pub stage: Stage,
    /// Which part of this stage is over, 0 to 1.
    pub part: f64,
    /// Clients that are ready.
    pub ready: usize,
    /// Messages that arrive in a second.
    pub received_per_second: f64,
    /// Failures so far.
    pub failures: u64,
}

/// Runs a plan. `progress` is called several times a second; when `stop` becomes true the run ends
/// early, and its report is marked as such.
///
/// # Errors
/// When the plan cannot be run. What goes wrong between clients and server is in the report.
pub fn run(
    plan: &Plan,
    processes: Option<&WorkerProgram>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, LoadError> {
    plan.check()?;
    let target = Target::resolve(&plan.url, plan.own_server)?;
    let usage = ServerUsage(plan.server_pid);
    let before = usage.read()?;
    let fleet = Fleet::start(plan, &target, &run_name(), processes)?;
    let run = Run { plan, usage, fleet, stop, progress, timeline: Timeline::new(plan) };
    run.run(before)
}

/// Tells the clients of two runs apart.
fn run_name() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}", since.as_micros())
}

/// The server's process, if it was named.
#[derive(Clone, Copy, Debug)]
struct ServerUsage(Option<u32>);

impl ServerUsage {
    fn read(self) -> Result<Option<Usage>, LoadError> {
        let read = |pid| Usage::of(pid).map_err(|source| LoadError::ServerPid { pid, source });
        self.0.map(read).transpose()
    }

    /// The server's usage now. `None` if the server has ended.
    fn sample(self) -> Option<Usage> {
        self.0.and_then(|pid| Usage::of(pid).ok())
    }
}

struct Run<'r> {
    plan: &'r Plan,
    usage: ServerUsage,
    fleet: Fleet,
    stop: &'r AtomicBool,
    progress: &'r mut dyn FnMut(Progress),
    timeline: Timeline,
}

impl Run<'_> {
    fn run(mut self, before: Option<Usage>) -> Result<Report, LoadError> {
        let begun = Instant::now();
        self.wait(Stage::SettingUp, self.plan.set_up_timeout, Fleet::is_settled)?;
        let (set_up, ready) = (begun.elapsed(), self.fleet.ready());
        let at_ready = self.usage.sample();
        if ready > 0 {
            self.fleet.command(Command::Start);
            self.wait(Stage::WarmingUp, self.plan.warmup, |_| false)?;
        }
        let (measured, at_begin, at_end) = self.measure(ready > 0)?;
        let recording = self.finish()?;
        if ready == 0 && !self.is_stopped() {
            return Err(LoadError::NobodyReady(recording.failures));
        }
        let generator_cpu = self.fleet.cpu();
        self.fleet.close();
        let at_rest = quiet::wait(self.usage);
        let ready_at_end = self.fleet.ready();
        Ok(Report::new(Measured {
            plan: self.plan,
            workers: self.fleet.count(),
            processes: self.fleet.processes(),
            interrupted: self.is_stopped(),
            set_up,
            ready,
            ready_at_end,
            measured,
            usage: [before, at_ready, at_begin, at_end, at_rest],
            generator_cpu: generator_cpu.saturating_sub(self.fleet.cpu_before_measure),
            recording,
            timeline: self.timeline.into_samples(),
        }))
    }

    /// The measured part: how long it took, and the server's usage at its begin and end.
    fn measure(
        &mut self,
        anybody: bool,
    ) -> Result<(Duration, Option<Usage>, Option<Usage>), LoadError> {
        let begun = Instant::now();
        self.fleet.cpu_before_measure = self.fleet.cpu();
        let at_begin = self.usage.sample();
        self.timeline.measuring();
        self.fleet.command(Command::Measure);
        if anybody {
            self.wait(Stage::Measuring, self.plan.duration, Fleet::is_done)?;
        }
        let at_end = self.usage.sample();
        if self.timeline.is_stale() {
            self.take_sample(Stage::Measuring, 1.0);
        }
        Ok((begun.elapsed(), at_begin, at_end))
    }

    fn finish(&mut self) -> Result<Recording, LoadError> {
        self.timeline.finishing();
        self.fleet.command(Command::Finish);
        let until = Instant::now() + FINISH_TIMEOUT;
        while !self.fleet.is_finished() && Instant::now() < until {
            self.turn(Stage::Finishing, 0.0)?;
        }
        self.fleet.recording()
    }

    /// Waits until `is_over`, until `timeout`, or until the run is stopped.
    fn wait(
        &mut self,
        stage: Stage,
        time: Duration,
        is_over: impl Fn(&Fleet) -> bool,
    ) -> Result<(), LoadError> {
        let begun = Instant::now();
        while !is_over(&self.fleet) && begun.elapsed() < time && !self.is_stopped() {
            let part = match stage {
                Stage::SettingUp => self.fleet.ready() as f64 / self.plan.workload.clients() as f64,
                _ => begun.elapsed().as_secs_f64() / time.as_secs_f64(),
            };
            self.turn(stage, part)?;
        }
        Ok(())
    }

    /// Takes the events of the workers, up to the next sample or event.
    fn turn(&mut self, stage: Stage, part: f64) -> Result<(), LoadError> {
        self.fleet.receive_events(self.timeline.until_next_sample())?;
        if self.timeline.until_next_sample().is_zero() {
            self.take_sample(stage, part);
        }
        Ok(())
    }

    fn take_sample(&mut self, stage: Stage, part: f64) {
        let sample = self.timeline.take(&mut self.fleet, self.usage.sample());
        (self.progress)(Progress {
            stage,
            part,
            ready: sample.ready,
            received_per_second: sample.received_per_second,
            failures: self.fleet.sum(|snapshot: &Snapshot| snapshot.failures),
        });
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
