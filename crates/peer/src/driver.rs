//! The task that owns the connection: one input, then drain what comes of it, then wait.
//!
//! That order is the contract of `str0m`: after each mutation, [`Driver::drain`] until it has
//! nothing more. What is waited for, in order of priority:
//!
//! 1. the application's commands: few, and it waits for them;
//! 2. a violation that the inbox found: nothing else counts any more;
//! 3. the network, which acknowledges what we sent, so it comes before sending more;
//! 4. answers to files of the other end, which waits for them;
//! 5. messages to send, while the channel has room;
//! 6. the next timer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::channel::ChannelId;
use str0m::net::{Protocol, Receive, Transmit};
use str0m::{Candidate, Event as RtcEvent, IceConnectionState, Input, Output, Rtc};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::frame::{Frame, MESSAGE_BYTES_MAX, Message};
use crate::inbox::RawMessage;
use crate::network::{Arrival, HostSockets};
use crate::peer::{Command, Offered};
use crate::relay::{Relay, RelayEvent};
use crate::turn_server::TurnServer;
use crate::{Closed, Config, Error, Event, Policy, Violation, candidate};

/// What the channel keeps until the other end has acknowledged it: enough for 40 Mbit/s at 100 ms.
pub(crate) const BUFFERED_BYTES_MAX: usize = 512 * 1024;
/// Candidates of the other end that are tried.
const REMOTE_CANDIDATES_MAX: usize = 64;
/// Datagrams that wait for the driver.
const ARRIVALS_WAITING_MAX: usize = 256;
/// How long a connection may be silent before it is given up.
const LOST_TIMEOUT: Duration = Duration::from_secs(15);
/// How long closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The ends of the driver's queues.
pub(crate) struct Queues {
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) outgoing: mpsc::Receiver<Message>,
    pub(crate) replies: mpsc::Receiver<Frame>,
    pub(crate) inbox: mpsc::Sender<RawMessage>,
    pub(crate) violation: oneshot::Receiver<Violation>,
    pub(crate) events: mpsc::Sender<Event>,
}

/// The connection and all that belongs to it.
pub(crate) struct Driver {
    rtc: Rtc,
    queues: Queues,
    /// The channel of an offer that was not answered, and what the answer belongs to.
    offered: Option<Offered>,
    channel: Option<ChannelId>,
    open: bool,
    relay_only: bool,
    hosts: Option<HostSockets>,
    relays: Vec<Option<Box<Relay>>>,
    /// TURN servers of which it is not known yet whether they give a relay.
    relays_pending: usize,
    relays_allocated: Vec<(SocketAddr, usize)>,
    remote_candidates: Vec<SocketAddr>,
    timers: Timers,
}

/// What ends a connection, each at its time.
#[derive(Default)]
struct Timers {
    /// Both descriptions are known, and no path is found.
    connect: Option<Instant>,
    connect_timeout: Duration,
    /// The other end is silent.
    lost: Option<Instant>,
    /// What was written is still not acknowledged after `close`.
    close: Option<Instant>,
}

/// Something to do.
enum Turn {
    Command(Option<Command>),
    Violation(Option<Violation>),
    Arrival(Arrival),
    Send(Message),
    /// All is sent, and nothing more will come.
    Drained,
    Timer,
}

impl Driver {
    pub(crate) fn new(rtc: Rtc, offered: Option<Offered>, config: &Config, queues: Queues) -> Self {
        let mut timers = Timers { connect_timeout: config.connect_timeout, ..Timers::default() };
        if offered.is_none() {
            timers.connect = Some(Instant::now() + config.connect_timeout);
        }
        Self {
            rtc,
            queues,
            channel: offered.as_ref().map(|offered| offered.channel),
            offered,
            open: false,
            relay_only: config.policy == Policy::Relay,
            hosts: None,
            relays: Vec::new(),
            relays_pending: 0,
            relays_allocated: Vec::new(),
            remote_candidates: Vec::new(),
            timers,
        }
    }

    /// Runs until the connection is over, which is the last event.
    pub(crate) async fn run(mut self, config: Config, turn_servers: Vec<TurnServer>) {
        let (arrivals_in, mut arrivals) = mpsc::channel(ARRIVALS_WAITING_MAX);
        let mut tasks = JoinSet::new();
        let closed = match self.gather(&config, turn_servers, &arrivals_in, &mut tasks).await {
            Ok(()) => self.turns(&mut arrivals).await,
            Err(closed) => closed,
        };
        self.end(closed).await;
    }

    async fn turns(&mut self, arrivals: &mut mpsc::Receiver<Arrival>) -> Closed {
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
    async fn next(&mut self, arrivals: &mut mpsc::Receiver<Arrival>, deadline: Instant) -> Turn {
        let has_room = self.has_room();
        let closing = self.timers.close.is_some();
        let queues = &mut self.queues;
        tokio::select! {
            biased;
            command = queues.commands.recv(), if !closing => Turn::Command(command),
            violation = &mut queues.violation => Turn::Violation(violation.ok()),
            Some(arrival) = arrivals.recv() => Turn::Arrival(arrival),
            Some(reply) = queues.replies.recv(), if has_room => Turn::Send(Message::Frame(reply)),
            message = queues.outgoing.recv(), if has_room => message.map_or(Turn::Drained, Turn::Send),
            () = sleep_until(deadline.into()) => Turn::Timer,
        }
    }

    async fn take(&mut self, turn: Turn) -> Result<(), Closed> {
        match turn {
            Turn::Command(Some(Command::Answer(answer, done))) => {
                // The application may have given up waiting.
                let _ = done.send(self.accept_answer(answer));
                Ok(())
            }
            Turn::Command(Some(Command::Candidate(candidate))) => {
                self.add_candidate(*candidate);
                Ok(())
            }
            Turn::Command(Some(Command::Close) | None) => self.start_closing(),
            Turn::Violation(Some(violation)) => Err(Closed::Violation(violation)),
            // The inbox stopped because nobody reads events.
            Turn::Violation(None) => Err(Closed::Local),
            Turn::Arrival(arrival) => self.arrive(arrival).await,
            Turn::Send(message) => self.send(message),
            Turn::Drained => Err(Closed::Local),
            Turn::Timer => self.input(Input::Timeout(Instant::now())),
        }
    }

    fn input(&mut self, input: Input<'_>) -> Result<(), Closed> {
        self.rtc.handle_input(input).map_err(|error| Closed::Failed(error.to_string()))
    }

    // ── Descriptions and candidates ────────────────────────────────────────────────────────────

    /// Opens the sockets of host candidates, and asks for relays.
    async fn gather(
        &mut self,
        config: &Config,
        turn_servers: Vec<TurnServer>,
        arrivals: &mpsc::Sender<Arrival>,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), Closed> {
        self.relays_pending = turn_servers.len();
        for (index, server) in turn_servers.into_iter().enumerate() {
            self.relays.push(None);
            let arrivals = arrivals.clone();
            tasks.spawn(async move {
                let relay = Relay::connect(&server, index, arrivals.clone()).await;
                let _ = arrivals.send(Arrival::Relay(index, relay.ok().map(Box::new))).await;
            });
        }
        if self.relay_only {
            return Ok(());
        }
        let hosts = HostSockets::open(config.host_addresses.resolve(), arrivals, tasks).await;
        let addresses: Vec<SocketAddr> = hosts.addresses().collect();
        self.hosts = Some(hosts);
        for address in addresses {
            if let Ok(candidate) = Candidate::host(address, "udp") {
                self.drain().await?;
                self.offer_candidate(candidate).await;
            }
        }
        self.tell_if_gathered().await
    }

    async fn offer_candidate(&mut self, candidate: Candidate) {
        let json = self.rtc.add_local_candidate(candidate).and_then(candidate::to_json);
        if let Some(json) = json {
            self.tell(Event::Candidate(json)).await;
        }
    }

    async fn tell_if_gathered(&mut self) -> Result<(), Closed> {
        if self.relays_pending > 0 {
            return Ok(());
        }
        if self.relay_only && self.relays_allocated.is_empty() {
            return Err(Closed::NoRelay);
        }
        self.tell(Event::GatheringFinished).await;
        Ok(())
    }

    fn accept_answer(&mut self, answer: str0m::change::SdpAnswer) -> Result<(), Error> {
        let offered = self.offered.take().ok_or(Error::NothingOffered)?;
        self.timers.connect = Some(Instant::now() + self.timers.connect_timeout);
        let accepted = self.rtc.sdp_api().accept_answer(offered.pending, answer);
        accepted.map_err(|error| Error::Answer(error.to_string()))
    }

    fn add_candidate(&mut self, candidate: Candidate) {
        let address = candidate.addr();
        let known = self.remote_candidates.contains(&address);
        if !known && self.remote_candidates.len() < REMOTE_CANDIDATES_MAX {
            self.remote_candidates.push(address);
            self.rtc.add_remote_candidate(candidate);
        }
    }

    // ── The network ────────────────────────────────────────────────────────────────────────────

    async fn arrive(&mut self, arrival: Arrival) -> Result<(), Closed> {
        match arrival {
            Arrival::Datagram { local, from, bytes } => self.receive(local, from, &bytes),
            Arrival::FromTurn { relay, bytes } => self.receive_relayed(relay, bytes).await,
            Arrival::Relay(index, Some(relay)) => {
                if let Some(place) = self.relays.get_mut(index) {
                    *place = Some(relay);
                }
                Ok(())
            }
            Arrival::Relay(_, None) => self.relay_failed().await,
        }
    }

    fn receive(&mut self, local: SocketAddr, from: SocketAddr, bytes: &[u8]) -> Result<(), Closed> {
        // What is neither STUN nor DTLS, and what does not belong to this connection, is noise.
        let Ok(contents) = bytes.try_into() else { return Ok(()) };
        let receive = Receive { proto: Protocol::Udp, source: from, destination: local, contents };
        let input = Input::Receive(Instant::now(), receive);
        if self.rtc.accepts(&input) { self.input(input) } else { Ok(()) }
    }

    async fn receive_relayed(&mut self, index: usize, bytes: Vec<u8>) -> Result<(), Closed> {
        let Some(Some(relay)) = self.relays.get_mut(index) else { return Ok(()) };
        let relayed = relay.receive(bytes);
        let address = self.relays_allocated.iter().find(|(_, relay)| *relay == index);
        let Some((address, _)) = address.copied() else { return Ok(()) };
        for datagram in relayed {
            self.receive(address, datagram.from, &datagram.bytes)?;
            self.drain_rtc().await?;
        }
        Ok(())
    }

    async fn relay_failed(&mut self) -> Result<(), Closed> {
        self.relays_pending = self.relays_pending.saturating_sub(1);
        self.tell_if_gathered().await
    }

    async fn transmit(&mut self, transmit: Transmit) {
        let (from, to) = (transmit.source, transmit.destination);
        if let Some(hosts) = &self.hosts
            && hosts.send(from, to, &transmit.contents).await
        {
            return;
        }
        let allocated = self.relays_allocated.iter().find(|(address, _)| *address == from);
        let index = allocated.map(|(_, index)| *index);
        if let Some(Some(relay)) = index.and_then(|index| self.relays.get_mut(index)) {
            relay.send(to, &transmit.contents).await;
        }
    }

    // ── What comes of it ───────────────────────────────────────────────────────────────────────

    /// Carries out everything that is due. Gives when something is due again.
    async fn drain(&mut self) -> Result<Instant, Closed> {
        let rtc_deadline = self.drain_rtc().await?;
        let relay_deadline = self.poll_relays().await?;
        // A relay that has come brings a candidate, with which there is something to do at once.
        let rtc_deadline = self.drain_rtc().await?.min(rtc_deadline);
        let own_deadline = self.timers.check(Instant::now(), self.open)?;
        let others = [relay_deadline, own_deadline].into_iter().flatten();
        Ok(others.fold(rtc_deadline, Instant::min))
    }

    async fn drain_rtc(&mut self) -> Result<Instant, Closed> {
        loop {
            match self.rtc.poll_output().map_err(|error| Closed::Failed(error.to_string()))? {
                Output::Timeout(deadline) => return Ok(deadline),
                Output::Transmit(transmit) => self.transmit(transmit).await,
                Output::Event(event) => self.happen(event).await?,
            }
        }
    }

    /// Polls each relay; gives the first of their deadlines.
    async fn poll_relays(&mut self) -> Result<Option<Instant>, Closed> {
        let mut first: Option<Instant> = None;
        for index in 0..self.relays.len() {
            let Some(Some(relay)) = self.relays.get_mut(index) else { continue };
            let (events, deadline) = relay.poll().await;
            first = [first, deadline].into_iter().flatten().min();
            let local = relay.local_address();
            for event in events {
                match event {
                    RelayEvent::Allocated(address) => self.allocated(index, address, local).await?,
                    RelayEvent::Failed => self.lose_relay(index).await?,
                }
            }
        }
        Ok(first)
    }

    async fn allocated(
        &mut self,
        index: usize,
        address: SocketAddr,
        local: SocketAddr,
    ) -> Result<(), Closed> {
        self.relays_allocated.push((address, index));
        self.relays_pending = self.relays_pending.saturating_sub(1);
        // The way to the TURN server may be of the other IP version than the relay.
        let local = if local.is_ipv4() == address.is_ipv4() { local } else { address };
        if let Ok(candidate) = Candidate::relayed(address, local, "udp") {
            self.offer_candidate(candidate).await;
        }
        self.tell_if_gathered().await
    }

    /// A relay that was there is lost without a word: ICE finds another path, or the connection is
    /// lost.
    async fn lose_relay(&mut self, index: usize) -> Result<(), Closed> {
        let gone = self.relays.get_mut(index).and_then(Option::take).is_some();
        let was_allocated = self.relays_allocated.iter().any(|(_, relay)| *relay == index);
        if gone && !was_allocated { self.relay_failed().await } else { Ok(()) }
    }

    async fn happen(&mut self, event: RtcEvent) -> Result<(), Closed> {
        match event {
            RtcEvent::ChannelOpen(id, _) if self.channel.is_none_or(|channel| channel == id) => {
                self.channel = Some(id);
                self.open = true;
                self.tell(Event::Connected).await;
            }
            RtcEvent::ChannelOpen(..) => return Err(Violation::SecondChannel.into()),
            RtcEvent::ChannelData(data) => {
                // It waits while the disk is busy. An error: the inbox has stopped, and says why.
                let _ = self.queues.inbox.send((data.binary, data.data)).await;
            }
            RtcEvent::ChannelClose(_) | RtcEvent::Closed => return Err(Closed::Remote),
            RtcEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.timers.lost = Some(Instant::now() + LOST_TIMEOUT);
            }
            RtcEvent::IceConnectionStateChange(_) => self.timers.lost = None,
            _ => {}
        }
        Ok(())
    }

    /// An error: nobody reads events any more, which the inbox notices too.
    async fn tell(&self, event: Event) {
        let _ = self.queues.events.send(event).await;
    }

    // ── The channel ────────────────────────────────────────────────────────────────────────────

    fn has_room(&mut self) -> bool {
        let Some(id) = self.channel.filter(|_| self.open) else { return false };
        let buffered = self.rtc.channel(id).map(|mut channel| channel.buffered_amount());
        match buffered {
            // When closing, the last message is out only when it is acknowledged.
            Some(buffered) if self.timers.close.is_some() && self.queues.outgoing.is_empty() => {
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

    /// From now on nothing more is taken, and what is there is sent.
    fn start_closing(&mut self) -> Result<(), Closed> {
        if !self.open {
            return Err(Closed::Local);
        }
        self.queues.outgoing.close();
        self.timers.close = Some(Instant::now() + CLOSE_TIMEOUT);
        Ok(())
    }

    async fn end(mut self, closed: Closed) {
        if closed != Closed::Remote && self.rtc.close().is_ok() {
            while self.rtc.is_alive() {
                match self.rtc.poll_output() {
                    Ok(Output::Transmit(transmit)) => self.transmit(transmit).await,
                    Ok(Output::Event(_)) => {}
                    Ok(Output::Timeout(_)) | Err(_) => break,
                }
            }
        }
        for relay in self.relays.into_iter().flatten() {
            relay.release().await;
        }
        let Queues { inbox, violation, events, .. } = self.queues;
        // What has arrived comes before the end.
        drop(inbox);
        if !violation.is_terminated() {
            let _ = timeout(CLOSE_TIMEOUT, violation).await;
        }
        let _ = events.send(Event::Closed(closed)).await;
    }
}

impl Timers {
    /// Whether one has fired; else when the first will.
    fn check(&self, now: Instant, open: bool) -> Result<Option<Instant>, Closed> {
        let connect = self.connect.filter(|_| !open);
        let named = [
            (connect, Closed::Unreachable),
            (self.lost.filter(|_| open), Closed::Lost),
            (self.close, Closed::Local),
        ];
        for (at, closed) in &named {
            if at.is_some_and(|at| at <= now) {
                return Err(closed.clone());
            }
        }
        Ok(named.iter().filter_map(|(at, _)| *at).min())
    }
}
