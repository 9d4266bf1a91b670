//! Workers: event loops in threads of this process, or in processes of their own where one lacks
//! descriptors. Both take the same commands and emit the same events.
//!
//! A worker process is this program again. It reads its share and then commands from standard
//! input, and writes events to standard output, each a line of JSON.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use mio::Waker;
use serde::{Deserialize, Serialize};

use crate::clock::Nanos;
use crate::event_loop::EventLoop;
use crate::recording::{Recent, Recorded};
use crate::share::Share;

/// A command to a worker. They come in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Begin the traffic; whoever is not ready takes no part.
    Start,
    /// The measurement begins.
    Measure,
    /// Begin nothing new, let messages in flight arrive, and send the recording.
    Finish,
    /// Close all connections and end.
    Close,
}

/// An event of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum WorkerEvent {
    /// The counts so far; several times a second.
    Progress(Snapshot),
    /// Every client is ready, or has failed.
    Settled,
    /// There is nothing more to do, before the time is over.
    Done,
    /// The end of the measurement.
    Finished(Box<Recorded>),
    /// All connections are closed.
    Closed,
    /// The operating system refused what it needs.
    Failed(String),
}

/// The counts of a worker, and the latencies since the last snapshot.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// When, by the worker's clock.
    pub(crate) at: Nanos,
    pub(crate) ready: usize,
    pub(crate) failed: usize,
    pub(crate) received: u64,
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) recent: Recent,
}

impl Snapshot {
    /// Messages received in each second since `before`. `None` if both are of the same time.
    pub(crate) fn received_per_second_since(&self, before: &Self) -> Option<f64> {
        // The count begins anew with the measurement.
        let messages = self.received.checked_sub(before.received).unwrap_or(self.received);
        let nanos = self.at.saturating_sub(before.at);
        (nanos > 0).then(|| messages as f64 * 1e9 / nanos as f64)
    }
}

/// Takes the events of a worker. Returns false if the receiver is gone.
pub(crate) type EventSink = Box<dyn FnMut(WorkerEvent) -> bool + Send>;

/// A worker, seen from where it was started. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    place: Place,
    /// Runs the worker, or reads the events of its process.
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Place {
    Thread { commands: Sender<Command>, waker: Waker },
    Process { child: Child, commands: Option<ChildStdin> },
}

impl Worker {
    /// Starts a worker in this process.
    pub(crate) fn in_thread(share: &Share, mut emit: EventSink) -> io::Result<Self> {
        let (commands, received) = mpsc::channel();
        let (event_loop, waker) = EventLoop::new(share, received)?;
        let run = move || {
            if let Err(error) = event_loop.run(&mut emit) {
                emit(WorkerEvent::Failed(error.to_string()));
            }
        };
        let thread = std::thread::Builder::new().name("load".to_owned()).spawn(run)?;
        Ok(Self { place: Place::Thread { commands, waker }, thread: Some(thread) })
    }

    /// Starts a worker process: `program` with `arguments` calls [`serve_parent`].
    pub(crate) fn in_process(
        program: &Path,
        arguments: &[String],
        share: &Share,
        mut emit: EventSink,
    ) -> io::Result<Self> {
        let mut process = Process::new(program);
        process.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = process.spawn()?;
        let mut commands = child.stdin.take();
        write_line(commands.as_mut(), share)?;
        let events = child.stdout.take();
        let read = move || {
            let lines = events.into_iter().flat_map(|events| BufReader::new(events).lines());
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line);
                emit(event.unwrap_or_else(|error| WorkerEvent::Failed(error.to_string())));
            }
            emit(WorkerEvent::Failed("a worker process ended early".to_owned()));
        };
        let thread = std::thread::Builder::new().name("load".to_owned()).spawn(read)?;
        Ok(Self { place: Place::Process { child, commands }, thread: Some(thread) })
    }

    /// Sends a command. A worker that is gone has reported that itself.
    pub(crate) fn command(&mut self, command: Command) {
        match &mut self.place {
            Place::Thread { commands, waker } => {
                let _ = commands.send(command);
                let _ = waker.wake();
            }
            Place::Process { commands, .. } => {
                let _ = write_line(commands.as_mut(), &command);
            }
        }
    }

    /// The process that it runs in, if that is not this one.
    pub(crate) fn process(&self) -> Option<u32> {
        match &self.place {
            Place::Thread { .. } => None,
            Place::Process { child, .. } => Some(child.id()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.command(Command::Close);
        if let Place::Process { child, commands } = &mut self.place {
            *commands = None;
            let _ = child.wait();
        }
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Runs as a worker process, for the parent at standard input and output.
///
/// # Errors
/// When the parent does not speak as it should, or the operating system refuses what is needed.
pub fn serve_parent() -> io::Result<()> {
    // A Ctrl-C reaches all processes of a terminal; the parent decides what it means.
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::default())?;
    let share = io::stdin().lines().next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let (commands, received) = mpsc::channel();
    let (event_loop, waker) = EventLoop::new(&serde_json::from_str(&share)?, received)?;
    std::thread::Builder::new().spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            let Ok(command) = serde_json::from_str(&line) else { break };
            let _ = commands.send(command);
            let _ = waker.wake();
        }
        // The parent is gone, or has sent its last command.
        drop(commands);
        let _ = waker.wake();
    })?;
    event_loop.run(&mut |event| write_line(Some(&mut io::stdout()), &event).is_ok())
}

fn write_line(out: Option<&mut impl io::Write>, value: &impl Serialize) -> io::Result<()> {
    let Some(out) = out else { return Ok(()) };
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}
