//! All workers of a run together.

use std::process;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

use super::{LoadError, WorkerProgram};
use crate::plan::Plan;
use crate::process_usage;
use crate::recording::{Recent, Recorded, Recording};
use crate::share::{Share, divide};
use crate::target::Target;
use crate::worker::{Command, EventSink, Snapshot, Worker, WorkerEvent};

/// Descriptors of a process that are not connections.
const DESCRIPTORS_RESERVED: usize = 100;
/// The time that a worker has to close its connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The workers, and the state that they have reported.
pub(super) struct Fleet {
    workers: Vec<Worker>,
    states: Vec<State>,
    events: Receiver<(usize, WorkerEvent)>,
    /// The generator's own processor time at the begin of the measurement.
    pub(super) cpu_before_measure: Duration,
}

/// The state that one worker has reported.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) snapshot: Snapshot,
    settled: bool,
    done: bool,
    finished: Option<Box<Recorded>>,
    closed: bool,
}

impl State {
    /// The last snapshot; its latencies are those since the last call.
    pub(super) fn take_snapshot(&mut self) -> Snapshot {
        let snapshot = self.snapshot;
        self.snapshot.recent = Recent::default();
        snapshot
    }
}

impl Fleet {
    /// Starts the workers: in this process if it has descriptors for all clients.
    pub(super) fn start(
        plan: &Plan,
        target: &Target,
        run: &str,
        processes: Option<&WorkerProgram>,
    ) -> Result<Self, LoadError> {
        let (clients, capacity) = (plan.workload.clients(), descriptors());
        let program = match processes {
            _ if clients <= capacity => None,
            Some(program) => Some(program),
            None => return Err(LoadError::Descriptors { clients, descriptors: capacity }),
        };
        let workers = match program {
            None => plan.threads,
            // Pairs cannot be divided, so two at most more than it looks.
            Some(_) => plan.threads.max(clients.div_ceil(capacity - 2)),
        };
        let (sender, events) = mpsc::channel();
        let start = |(number, share): (usize, &Share)| {
            let sender = sender.clone();
            let emit: EventSink = Box::new(move |event| sender.send((number, event)).is_ok());
            match program {
                None => Worker::in_thread(share, emit),
                Some(WorkerProgram { program, arguments }) => {
                    Worker::in_process(program, arguments, share, emit)
                }
            }
        };
        let shares = divide(plan, target, run, workers);
        let workers = shares.iter().enumerate().map(start).collect::<Result<Vec<_>, _>>()?;
        let states = workers.iter().map(|_| State::default()).collect();
        Ok(Self { workers, states, events, cpu_before_measure: Duration::ZERO })
    }

    /// The number of event loops.
    pub(super) fn count(&self) -> usize {
        self.workers.len()
    }

    /// The number of processes that they run in.
    pub(super) fn processes(&self) -> usize {
        self.workers.iter().filter_map(Worker::process).count().max(1)
    }

    pub(super) fn command(&mut self, command: Command) {
        for worker in &mut self.workers {
            worker.command(command);
        }
    }

    /// Takes the pending events, after waiting at most `timeout` for the first.
    pub(super) fn receive_events(&mut self, timeout: Duration) -> Result<(), LoadError> {
        let mut next = match self.events.recv_timeout(timeout) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(LoadError::Worker("no worker is left".to_owned()));
            }
        };
        while let Some((number, event)) = next {
            self.note(number, event)?;
            next = self.events.try_recv().ok();
        }
        Ok(())
    }

    fn note(&mut self, number: usize, event: WorkerEvent) -> Result<(), LoadError> {
        let state = &mut self.states[number];
        match event {
            WorkerEvent::Progress(snapshot) => {
                let pending = state.snapshot.recent;
                state.snapshot = snapshot;
                state.snapshot.recent.join(pending);
            }
            WorkerEvent::Settled => state.settled = true,
            WorkerEvent::Done => state.done = true,
            WorkerEvent::Finished(recorded) => state.finished = Some(recorded),
            WorkerEvent::Closed => state.closed = true,
            WorkerEvent::Failed(_) if state.closed => {}
            WorkerEvent::Failed(reason) => return Err(LoadError::Worker(reason)),
        }
        Ok(())
    }

    pub(super) fn is_settled(&self) -> bool {
        self.states.iter().all(|state| state.settled)
    }

    pub(super) fn is_done(&self) -> bool {
        self.states.iter().all(|state| state.done)
    }

    pub(super) fn is_finished(&self) -> bool {
        self.states.iter().all(|state| state.finished.is_some())
    }

    /// The number of clients that are ready.
    pub(super) fn ready(&self) -> usize {
        self.states.iter().map(|state| state.snapshot.ready).sum()
    }

    /// The sum of a count over all workers.
    pub(super) fn sum(&self, count: impl Fn(&Snapshot) -> u64) -> u64 {
        self.states.iter().map(|state| count(&state.snapshot)).sum()
    }

    pub(super) fn states_mut(&mut self) -> &mut [State] {
        &mut self.states
    }

    /// The recordings of all workers, merged.
    pub(super) fn recording(&self) -> Result<Recording, LoadError> {
        let mut all = Recording::new().map_err(|error| LoadError::Worker(error.to_string()))?;
        for state in &self.states {
            let no_result = || LoadError::Worker("a worker sent no result".to_owned());
            all.merge(state.finished.as_deref().ok_or_else(no_result)?);
        }
        Ok(all)
    }

    /// The processor time of this process and the workers' own.
    pub(super) fn cpu(&self) -> Duration {
        let processes = self.workers.iter().filter_map(Worker::process);
        let all = processes.chain([process::id()]);
        all.map(|pid| process_usage::cpu(pid).unwrap_or_default()).sum()
    }

    /// Closes all connections, and waits until they are closed.
    pub(super) fn close(&mut self) {
        self.command(Command::Close);
        let until = std::time::Instant::now() + CLOSE_TIMEOUT;
        while !self.states.iter().all(|state| state.closed) && std::time::Instant::now() < until {
            if self.receive_events(Duration::from_millis(100)).is_err() {
                return;
            }
        }
    }
}

/// The file descriptors of this process, after it has raised its limit as far as it may.
fn descriptors() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    let descriptors = limit.current.and_then(|limit| usize::try_from(limit).ok());
    descriptors.unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_RESERVED).max(3)
}
