//! The task that owns the connection: one input, drain the outputs, wait.
//!
//! That order is the contract of `str0m`: after each mutation, [`Driver::drain`] until it has
//! nothing more. **The driver never waits for a queue that the application empties**: an
//! application that waits for the driver at the same time would block both for ever. Its own events
//! have a queue in which all of them fit, and messages stay in a [`Backlog`] until the inbox has
//! room. The driver waits, in order of priority, for
//!
//! 1. commands of the application: few, and it is blocked until they are done;
//! 2. a violation that the inbox found: the connection ends;
//! 3. candidates of the other end;
//! 4. room in the inbox for messages that have arrived, before more arrive;
//! 5. the network, whose acknowledgements make room, so it comes before sending more;
//! 6. answers to files of the other end, which is blocked until it has them;
//! 7. messages to send, while the channel has room;
//! 8. the next timer.

mod backlog;
mod candidates;
mod datagrams;
mod ending;
mod timers;

use std::net::SocketAddr;
use std::time::Instant;

use str0m::channel::ChannelId;
use str0m::{Candidate, Event as RtcEvent, IceConnectionState, Input, Output, Rtc};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use self::backlog::Backlog;
use self::timers::Timers;
use crate::channel::frame::{Frame, MESSAGE_BYTES_MAX, Message};
use crate::channel::inbox::RawMessage;
use crate::ice::early::EarlyDatagrams;
use crate::ice::network::{Arrival, HostSockets};
use crate::ice::reflexive::Reflexive;
use crate::peer::{Command, Known, LABEL, Offered};
use crate::turn::relays::Relays;
use crate::turn::turn_server::TurnServer;
use crate::{Closed, Config, Event, Kinds, Policy, Violation};

/// The bound of bytes in the channel that the other end has not acknowledged: enough for 40 Mbit/s
/// at 100 ms.
pub(crate) const BUFFERED_BYTES_MAX: usize = 512 * 1024;
/// The queue of datagrams for the driver.
const ARRIVALS_WAITING_MAX: usize = 256;

/// The ends of the driver's queues.
pub(crate) struct Queues {
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) candidates: mpsc::Receiver<Candidate>,
    pub(crate) outgoing: mpsc::Receiver<Message>,
    pub(crate) replies: mpsc::Receiver<Frame>,
    pub(crate) inbox: mpsc::Sender<RawMessage>,
    pub(crate) violation: oneshot::Receiver<Violation>,
    /// The driver's own events. All of them fit.
    pub(crate) connection_events: mpsc::Sender<Event>,
    /// The events of the inbox and the outbox, and the end, which is the last.
    pub(crate) events: mpsc::Sender<Event>,
}

/// The connection and all that belongs to it.
pub(crate) struct Driver {
    rtc: Rtc,
    queues: Queues,
    /// The data channel's name in the descriptions.
    mid: String,
    /// The channel of an offer that was not answered, and what the answer belongs to.
    offered: Option<Offered>,
    channel: Option<ChannelId>,
    open: bool,
    relay_only: bool,
    hosts: Option<HostSockets>,
    relays: Option<Relays>,
    /// `None` if there is no STUN server to ask.
    reflexive: Option<Reflexive>,
    gathered: bool,
    /// True once ICE has found a path.
    path_found: bool,
    here: Kinds,
    there: Kinds,
    early: EarlyDatagrams,
    backlog: Backlog,
    remote_candidates: Vec<SocketAddr>,
    timers: Timers,
}

/// Something to do.
enum Work {
    Command(Option<Command>),
    Violation(Option<Violation>),
    Candidate(Candidate),
    /// The inbox has room.
    Room,
    Arrival(Arrival),
    Send(Message),
    /// All is sent, and nothing more will come.
    Drained,
    Timer,
}

impl Driver {
    pub(crate) fn new(rtc: Rtc, known: Known, config: &Config, queues: Queues) -> Self {
        let Known { mid, offered, candidates } = known;
        let mut timers = Timers::new(config.connect_timeout);
        if offered.is_none() {
            timers.described(Instant::now());
        }
        let mut driver = Self {
            rtc,
            queues,
            mid,
            channel: offered.as_ref().map(|offered| offered.channel),
            offered,
            open: false,
            relay_only: config.policy == Policy::Relay,
            hosts: None,
            relays: None,
            reflexive: None,
            gathered: false,
            path_found: false,
            here: Kinds::default(),
            there: Kinds::default(),
            early: EarlyDatagrams::default(),
            backlog: Backlog::default(),
            remote_candidates: Vec::new(),
            timers,
        };
        candidates.into_iter().for_each(|candidate| driver.add_candidate(candidate));
        driver
    }

    /// Runs until the connection is over, which is the last event.
    pub(crate) async fn run(mut self, config: Config, turn_servers: Vec<TurnServer>) {
        let (arrivals_in, mut arrivals) = mpsc::channel(ARRIVALS_WAITING_MAX);
        let mut tasks = JoinSet::new();
        let closed = match self.gather(&config, turn_servers, &arrivals_in, &mut tasks).await {
            Ok(()) => self.turns(&mut arrivals).await,
            Err(closed) => closed,
        };
        let ending = self.end(closed, &mut arrivals).await;
        drop((tasks, arrivals));
        ending.report().await;
    }

    async fn turns(&mut self, arrivals: &mut mpsc::Receiver<Arrival>) -> Closed {
        // Without a first tick ICE has no clock: it would check no path before something arrives.
        if let Err(closed) = self.input(Input::Timeout(Instant::now())) {
            return closed;
        }
        loop {
            let step = match self.drain().await {
                Ok(deadline) => {
                    let turn = self.next(arrivals, deadline).await;
                    self.take(turn).await
                }
                Err(closed) => Err(closed),
            };
            if let Err(closed) = step {
                return closed;
            }
        }
    }

    /// Waits; the order is in this file's first paragraph.
    async fn next(&mut self, arrivals: &mut mpsc::Receiver<Arrival>, deadline: Instant) -> Work {
        let has_room = self.has_room();
        let closing = self.timers.is_closing();
        let behind = !self.backlog.is_empty();
        let queues = &mut self.queues;
        tokio::select! {
            biased;
            command = queues.commands.recv(), if !closing => Work::Command(command),
            violation = &mut queues.violation => Work::Violation(violation.ok()),
            Some(candidate) = queues.candidates.recv() => Work::Candidate(candidate),
            // An error: the inbox has stopped. A violation or the end of its channel reports that.
            _ = queues.inbox.reserve(), if behind => Work::Room,
            Some(arrival) = arrivals.recv() => Work::Arrival(arrival),
            Some(reply) = queues.replies.recv(), if has_room => Work::Send(Message::Frame(reply)),
            message = queues.outgoing.recv(), if has_room => message.map_or(Work::Drained, Work::Send),
            () = sleep_until(deadline.into()) => Work::Timer,
        }
    }

    async fn take(&mut self, turn: Work) -> Result<(), Closed> {
        match turn {
            Work::Command(Some(Command::Answer(answer, candidates, done))) => {
                // An error: the application no longer awaits the result.
                let _ = done.send(self.accept_answer(*answer, candidates));
                Ok(())
            }
            Work::Command(Some(Command::Close) | None) => self.start_closing(),
            Work::Violation(Some(violation)) => Err(Closed::Violation(violation)),
            // The inbox stopped because nobody reads events.
            Work::Violation(None) => Err(Closed::Local),
            Work::Candidate(candidate) => {
                self.add_candidate(candidate);
                Ok(())
            }
            Work::Room => self.catch_up().await,
            Work::Arrival(arrival) => self.arrive(arrival).await,
            Work::Send(message) => self.send(message),
            Work::Drained => Err(Closed::Local),
            Work::Timer => self.input(Input::Timeout(Instant::now())),
        }
    }

    fn input(&mut self, input: Input<'_>) -> Result<(), Closed> {
        self.rtc.handle_input(input).map_err(|error| self.failed(&error))
    }

    // ── What comes of it ───────────────────────────────────────────────────────────────────────

    /// Carries out everything that is due. Gives when something is due again.
    async fn drain(&mut self) -> Result<Instant, Closed> {
        let rtc_deadline = self.drain_rtc().await?;
        let relay_deadline = self.poll_relays().await?;
        let stun_deadline = self.poll_reflexive().await;
        // A relay that has come brings a candidate, with which there is something to do at once.
        let rtc_deadline = self.drain_rtc().await?.min(rtc_deadline);
        self.emit_when_gathered()?;
        let own_deadline = self.timers.check(Instant::now());
        let own_deadline = own_deadline.map_err(|fired| self.timed_out(fired))?;
        let others = [relay_deadline, stun_deadline, own_deadline].into_iter().flatten();
        Ok(others.fold(rtc_deadline, Instant::min))
    }

    async fn drain_rtc(&mut self) -> Result<Instant, Closed> {
        loop {
            match self.rtc.poll_output().map_err(|error| self.failed(&error))? {
                Output::Timeout(deadline) => return Ok(deadline),
                Output::Transmit(transmit) => self.transmit(transmit).await,
                Output::Event(event) => self.happen(event)?,
            }
        }
    }

    /// Gives the first deadline of the relays.
    async fn poll_relays(&mut self) -> Result<Option<Instant>, Closed> {
        let Some(relays) = &mut self.relays else { return Ok(None) };
        let (candidates, deadline) = relays.poll().await;
        for candidate in candidates {
            self.drain_rtc().await?;
            self.offer_candidate(candidate);
        }
        Ok(deadline)
    }

    fn happen(&mut self, event: RtcEvent) -> Result<(), Closed> {
        match event {
            RtcEvent::ChannelOpen(_, label) if label != LABEL => {
                return Err(Violation::OtherChannel.into());
            }
            RtcEvent::ChannelOpen(id, _) if self.channel.is_none_or(|channel| channel == id) => {
                self.channel = Some(id);
                self.open = true;
                self.timers.opened();
                self.emit(Event::Connected);
            }
            RtcEvent::ChannelOpen(..) => return Err(Violation::SecondChannel.into()),
            RtcEvent::ChannelData(data) => {
                self.backlog.deliver((data.binary, data.data), &self.queues.inbox);
            }
            RtcEvent::ChannelClose(_) | RtcEvent::Closed => return Err(Closed::Remote),
            RtcEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.timers.note_path(false, Instant::now());
            }
            RtcEvent::IceConnectionStateChange(state) => {
                self.path_found |= state.is_connected();
                self.timers.note_path(true, Instant::now());
            }
            _ => {}
        }
        Ok(())
    }

    /// Emits an event of the connection, without waiting. An error: nobody reads events any more,
    /// which the inbox notices too.
    fn emit(&self, event: Event) {
        let _ = self.queues.connection_events.try_send(event);
    }

    /// Passes on what the inbox has room for, then takes a datagram that was held back.
    async fn catch_up(&mut self) -> Result<(), Closed> {
        self.backlog.flush(&self.queues.inbox);
        if let Some((local, from, bytes)) = self.backlog.release() {
            self.receive_known(local, from, &bytes)?;
            self.drain_rtc().await?;
        }
        Ok(())
    }

    // ── The channel ────────────────────────────────────────────────────────────────────────────

    fn has_room(&mut self) -> bool {
        let Some(id) = self.channel.filter(|_| self.open) else { return false };
        let buffered = self.rtc.channel(id).map(|mut channel| channel.buffered_amount());
        match buffered {
            // When closing, the last message is out only when it is acknowledged.
            Some(buffered) if self.timers.is_closing() && self.queues.outgoing.is_empty() => {
                buffered == 0
            }
            Some(buffered) => buffered + MESSAGE_BYTES_MAX <= BUFFERED_BYTES_MAX,
            None => false,
        }
    }

    fn send(&mut self, message: Message) -> Result<(), Closed> {
        let (binary, bytes) = message.write();
        let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) else {
            return Ok(());
        };
        match channel.write(binary, &bytes) {
            Ok(true) => Ok(()),
            // `has_room` was asked before.
            Ok(false) => Err(Closed::Failed("the channel has no room".to_owned())),
            Err(error) => Err(Closed::Failed(error.to_string())),
        }
    }
}
