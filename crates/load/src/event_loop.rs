//! The loop that a worker runs: sockets, timer, commands.
//!
//! One round, in order:
//! 1. Each read goes to the scenario; its answers are written after the read, in one write for
//!    each connection.
//! 2. The scenario does what is due by the clock.
//! 3. Commands are carried out, and progress is reported.

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use mio::event::Event as Readiness;
use mio::{Events, Poll, Token, Waker};
use securecall_websocket::{Event, write_masked_pong};

use crate::alarm::Alarm;
use crate::clients::Clients;
use crate::clock::{Nanos, nanos};
use crate::connection::Opening;
use crate::failure::Failure;
use crate::frame::MASK;
use crate::recording::Recording;
use crate::scenario::{self, RetryAfter, Scenario};
use crate::share::Share;
use crate::worker::{Command, Snapshot, WorkerEvent};

const WAKER: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);
/// One read may bring a whole socket buffer.
const BUFFER_BYTES: usize = 256 * 1024;
const EVENTS_MAX: usize = 1024;
/// The interval of progress events.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// The time that messages in flight have to arrive when a run ends.
const DRAIN: Duration = Duration::from_secs(2);

/// The phase of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    SettingUp,
    /// Every client is ready or has failed, and that was reported.
    Settled,
    Running,
    /// The scenario is done before its time, and that was reported.
    Done,
    /// Nothing new is begun; what is under way may arrive until then.
    Draining(Nanos),
    Finished,
}

/// A worker's event loop.
pub(crate) struct EventLoop {
    poll: Poll,
    alarm: Alarm,
    clients: Clients,
    scenario: Box<dyn Scenario>,
    buffer: Box<[u8]>,
    phase: Phase,
    commands: Receiver<Command>,
    progress_due: Nanos,
}

impl EventLoop {
    /// A loop for a share, and what wakes it up when a command was sent.
    pub(crate) fn new(share: &Share, commands: Receiver<Command>) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        let clients = Clients::new(
            poll.registry().try_clone()?,
            share.target.clone(),
            share.sources.clone(),
            share.first_client,
            share.workload.clients(),
            Recording::new().map_err(io::Error::other)?,
        )?;
        let event_loop = Self {
            scenario: scenario::scenario(share, &clients),
            poll,
            alarm,
            clients,
            buffer: vec![0; BUFFER_BYTES].into(),
            phase: Phase::SettingUp,
            commands,
            progress_due: 0,
        };
        Ok((event_loop, waker))
    }

    /// Runs until [`Command::Close`], or until the other end of `commands` or `emit` is gone.
    pub(crate) fn run(mut self, emit: &mut dyn FnMut(WorkerEvent) -> bool) -> io::Result<()> {
        let mut ready = Events::with_capacity(EVENTS_MAX);
        self.scenario.population_mut().fill(&mut self.clients);
        loop {
            self.clients.flush();
            self.report_losses();
            let now = self.clients.now();
            self.alarm.set(self.scenario.next_due(), now)?;
            let until_progress = Duration::from_nanos(self.progress_due.saturating_sub(now));
            let wait = self.alarm.wait(now).min(until_progress);
            match self.poll.poll(&mut ready, Some(wait)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &ready {
                match event.token() {
                    WAKER => {}
                    ALARM => self.alarm.rang(),
                    Token(client) => self.on_ready(client, event),
                }
            }
            self.run_due();
            if self.run_commands() || !self.report(emit) {
                self.clients.close_all();
                emit(WorkerEvent::Closed);
                return Ok(());
            }
        }
    }

    fn on_ready(&mut self, client: usize, event: &Readiness) {
        if event.is_writable() {
            self.clients.flush_one(client);
            self.report_losses();
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.read(client, event.is_read_closed() || event.is_error());
        }
        self.clients.flush();
    }

    /// Reads until the socket is empty, or until its end if that is near.
    fn read(&mut self, client: usize, to_the_end: bool) {
        // The buffer is lent to what is decoded from it, so it cannot stay where it is.
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(connection) = self.clients.connection(client) {
            match connection.read(&mut buffer) {
                Ok(None) => break,
                Ok(Some(0)) => {
                    self.lose(client, Failure::Lost, None);
                    break;
                }
                Ok(Some(bytes)) => {
                    self.clients.note_read();
                    self.received(client, &mut buffer[..bytes]);
                    if self.is_drained(client, bytes, buffer.len()) && !to_the_end {
                        break;
                    }
                }
                Err(error) => {
                    let failure = match connection.is_open() {
                        true => Failure::Lost,
                        false => Failure::connect(&error),
                    };
                    self.lose(client, failure, None);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    fn is_drained(&mut self, client: usize, bytes: usize, buffer_bytes: usize) -> bool {
        let connection = self.clients.connection(client);
        connection.is_none_or(|connection| connection.is_drained(bytes, buffer_bytes))
    }

    fn received(&mut self, client: usize, bytes: &mut [u8]) {
        let Some(connection) = self.clients.connection(client) else { return };
        if connection.is_open() {
            return self.decode(client, bytes);
        }
        match connection.advance_handshake(bytes) {
            Opening::Pending => {}
            Opening::Open(mut frames) => {
                self.scenario.population_mut().opened(&mut self.clients, client);
                self.decode(client, &mut frames);
            }
            Opening::Refused { failure, retry_after_seconds } => {
                self.lose(client, failure, retry_after_seconds);
            }
        }
    }

    fn decode(&mut self, client: usize, mut input: &mut [u8]) {
        let Some(connection) = self.clients.connection(client) else { return };
        let mut decoder = connection.take_decoder();
        loop {
            match decoder.next(&mut input) {
                Ok(Some(Event::Text(text))) => {
                    self.scenario.receive(&mut self.clients, client, &text);
                }
                Ok(Some(Event::Ping(payload))) => {
                    self.clients.write(client, |out| write_masked_pong(out, &payload, MASK));
                }
                Ok(Some(Event::Close(reason))) => {
                    let code = reason.map(|reason| reason.code);
                    return self.lose(client, Failure::Closed(code), None);
                }
                Ok(Some(Event::Binary(_) | Event::Pong(_) | Event::Fragment)) => {}
                Ok(None) => break,
                Err(error) => {
                    return self.lose(client, Failure::Protocol(error.to_string()), None);
                }
            }
        }
        if let Some(connection) = self.clients.connection(client) {
            connection.put_decoder(decoder);
        }
    }

    fn lose(&mut self, client: usize, failure: Failure, retry_after: RetryAfter) {
        self.clients.drop_connection(client);
        // What the server closes after the end is not a failure.
        if self.phase != Phase::Finished {
            self.scenario.lose(&mut self.clients, client, failure, retry_after);
        }
    }

    /// Passes losses found while writing to the scenario.
    fn report_losses(&mut self) {
        while let Some((client, failure)) = self.clients.take_lost() {
            if self.clients.connection(client).is_some() {
                self.lose(client, failure, None);
            }
        }
    }

    fn run_due(&mut self) {
        if self.scenario.next_due().is_some_and(|due| due <= self.clients.now()) {
            self.scenario.on_due(&mut self.clients);
            self.clients.flush();
        }
    }

    /// Carries out the pending commands. Returns true after [`Command::Close`].
    fn run_commands(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Start) => {
                    self.scenario.population_mut().give_up(&mut self.clients);
                    self.scenario.start(&mut self.clients);
                    self.phase = Phase::Running;
                }
                Ok(Command::Measure) => {
                    let now = self.clients.now();
                    self.clients.recording.open_window(now);
                    self.scenario.measure(&mut self.clients);
                }
                Ok(Command::Finish) => self.finish(),
                Ok(Command::Close) => return true,
                Err(TryRecvError::Empty) => return false,
                // The sender of commands is gone.
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }

    fn finish(&mut self) {
        let now = self.clients.now();
        self.clients.recording.close_window(now);
        self.scenario.finish();
        self.phase = Phase::Draining(now + nanos(DRAIN));
    }

    /// Emits progress and the end of a phase. Returns false if the receiver is gone.
    fn report(&mut self, emit: &mut dyn FnMut(WorkerEvent) -> bool) -> bool {
        let now = self.clients.now();
        let event = match self.phase {
            Phase::SettingUp if self.scenario.population().is_settled() => {
                self.phase = Phase::Settled;
                Some(WorkerEvent::Settled)
            }
            Phase::Running if self.scenario.is_done() => {
                self.phase = Phase::Done;
                Some(WorkerEvent::Done)
            }
            Phase::Draining(until) if self.scenario.under_way() == 0 || now >= until => {
                self.phase = Phase::Finished;
                let unanswered = self.scenario.under_way();
                self.clients.recording.failures.add(self.scenario.unfinished(), unanswered);
                Some(WorkerEvent::Finished(Box::new(self.clients.recording.to_recorded())))
            }
            _ => None,
        };
        // A snapshot goes before its event, so that its counts belong to the moment of the event.
        let is_time = event.is_some() || now >= self.progress_due;
        (!is_time || emit(WorkerEvent::Progress(self.progress(now)))) && event.is_none_or(emit)
    }

    fn progress(&mut self, now: Nanos) -> Snapshot {
        self.progress_due = now + nanos(PROGRESS_INTERVAL);
        self.scenario.population_mut().keep_alive(&mut self.clients);
        let population = self.scenario.population();
        let recording = &mut self.clients.recording;
        Snapshot {
            at: now,
            ready: population.ready(),
            failed: population.failed(),
            received: recording.received,
            calls: recording.calls,
            failures: recording.failures.total(),
            recent: recording.take_recent(),
        }
    }
}
