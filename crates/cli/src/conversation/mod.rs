//! A call that was made: what the server, the other end, the person and the clock say, until it
//! ends.

pub(crate) mod acquaintance;
pub(crate) mod input;
mod interrupt;
pub(crate) mod options;
pub(crate) mod screen;
mod sender;
pub(crate) mod session;
mod signals;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use securecall_client::{self as signal, CallId};
use securecall_peer::{self as peer, Closed, Direction, Peer};
use tokio::time::{Instant, sleep_until, timeout};

use crate::failure::Failure;
use input::Line;
use options::Options;
use sender::Sender;
use session::Session;

pub(crate) use signals::on_other_call;

/// How long the last words to the server, and to the other end, may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take to read that there is no more to read.
const LAST_LINE_TIMEOUT: Duration = Duration::from_millis(200);
/// So far away that it never comes.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Both ways to the other end: signaling, sealed, through the server, and the data channel.
pub(crate) struct Conversation<'a> {
    session: &'a mut Session,
    options: &'a Options,
    /// The other person.
    who: &'a str,
    call: CallId,
    peer: Arc<Peer>,
    peer_events: peer::Events,
    sender: Sender,
    /// Whether the call is over when there is no more input and everything is sent.
    ends_with_input: bool,
    connected: bool,
    /// Somebody here wants to end it, or the input has ended.
    finishing: bool,
    closing: bool,
    files_failed: bool,
    /// The server says that the other one did.
    hung_up: bool,
    deadline: Instant,
}

/// What is next.
enum Turn {
    Peer(Option<peer::Event>),
    Signal(signal::Event),
    Line(Option<io::Result<Line>>),
    /// Everything is with the other end.
    AllSent,
    Deadline,
    Interrupted,
}

/// Whether it goes on.
enum Step {
    On,
    /// The channel is closed, or something else ends it.
    Over(Result<Closed, Failure>),
}

impl<'a> Conversation<'a> {
    pub(crate) fn new(
        session: &'a mut Session,
        options: &'a Options,
        who: &'a str,
        call: CallId,
        (peer, peer_events): (Peer, peer::Events),
    ) -> Self {
        let peer = Arc::new(peer);
        let sender = Sender::start(peer.clone(), options);
        Self {
            session,
            options,
            who,
            call,
            peer,
            peer_events,
            sender,
            ends_with_input: false,
            connected: false,
            finishing: false,
            closing: false,
            files_failed: false,
            hung_up: false,
            deadline: Instant::now() + NEVER,
        }
    }

    /// The end of the input ends it, too, unless its duration is given.
    pub(crate) fn ending_with_input(self) -> Self {
        Self { ends_with_input: self.options.exit_after.is_none(), ..self }
    }

    /// Runs to its end. An error: it did not come about, or broke off, or something did not get
    /// through.
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        let over = loop {
            let turn = self.next().await;
            if let Step::Over(over) = self.take(turn).await {
                break over;
            }
        };
        self.hang_up().await;
        self.outcome(over?).await
    }

    async fn next(&mut self) -> Turn {
        let takes_input = self.takes_input();
        let Session { signals, input, interrupt, .. } = &mut *self.session;
        tokio::select! {
            event = self.peer_events.next() => Turn::Peer(event),
            Some(event) = signals.next() => Turn::Signal(event),
            line = input.next(), if takes_input => Turn::Line(line),
            () = self.sender.all_sent(), if self.finishing && !self.closing => Turn::AllSent,
            () = sleep_until(self.deadline) => Turn::Deadline,
            () = interrupt.raised() => Turn::Interrupted,
        }
    }

    fn takes_input(&self) -> bool {
        let reads = !self.finishing && !self.session.input.has_ended();
        self.connected && reads && self.sender.has_room()
    }

    async fn take(&mut self, turn: Turn) -> Step {
        match turn {
            Turn::Peer(event) => return self.on_peer(event).await,
            Turn::Signal(event) => return self.on_signal(event).await,
            Turn::Line(Some(Err(error))) => return Step::Over(Err(Failure::Input(error))),
            Turn::Line(Some(Ok(line))) => self.on_line(line),
            Turn::Line(None) if self.ends_with_input => self.finish(),
            Turn::Line(None) => {}
            Turn::AllSent => {
                self.closing = true;
                self.peer.close().await;
            }
            Turn::Deadline => {
                self.finish();
                self.deadline = Instant::now() + NEVER;
            }
            Turn::Interrupted => return Step::Over(Err(Failure::Interrupted)),
        }
        Step::On
    }

    /// What was asked for is sent, then it ends.
    fn finish(&mut self) {
        self.finishing = true;
        self.sender.finish();
    }

    fn on_line(&mut self, line: Line) {
        match line {
            Line::Nothing => {}
            Line::Quit => self.finish(),
            Line::Help => {
                let help = "/send FILE sends a file, /quit hangs up, // says a slash";
                self.session.screen.note(help);
            }
            line => self.sender.take(line),
        }
    }

    async fn on_peer(&mut self, event: Option<peer::Event>) -> Step {
        let screen = &self.session.screen;
        match event {
            Some(peer::Event::Candidate(candidate)) => {
                // The call may be over, which its own event tells.
                let _ = self.session.client.candidate(self.call, candidate).await;
            }
            Some(peer::Event::Connected) => {
                self.connected = true;
                if let Some(after) = self.options.exit_after {
                    self.deadline = Instant::now() + after;
                }
                screen.note(&format!("connected to {}: /send FILE, /quit", self.who));
            }
            Some(peer::Event::Text(text)) => screen.said(self.who, &text),
            Some(peer::Event::FileProgress(progress)) => screen.progress(&progress),
            Some(peer::Event::FileReceived { path }) => screen.received(&path),
            Some(peer::Event::FileSent { name }) => {
                screen.sent(&name);
                self.sender.file_done();
            }
            Some(peer::Event::FileFailed { direction, name, error }) => {
                screen.failed(direction, &name, &error.to_string());
                if direction == Direction::Outgoing {
                    self.files_failed = true;
                    self.sender.file_done();
                }
            }
            Some(peer::Event::Closed(closed)) => return Step::Over(Ok(closed)),
            Some(_) => {}
            None => return Step::Over(Ok(Closed::Local)),
        }
        Step::On
    }

    /// Both ends: the channel, so that relays are given back and the other one hears of it, and the
    /// call, which may be over already.
    async fn hang_up(&mut self) {
        self.peer.close().await;
        let closed = async { while self.peer_events.next().await.is_some() {} };
        let _ = timeout(GOODBYE_TIMEOUT, closed).await;
        let _ = timeout(GOODBYE_TIMEOUT, self.session.client.end(self.call)).await;
    }

    /// What the end of the channel means for the command.
    async fn outcome(&mut self, closed: Closed) -> Result<(), Failure> {
        let in_order = match closed {
            Closed::Local | Closed::Remote | Closed::Unsent => closed != Closed::Unsent,
            // The other end's last datagram was lost, and the server brought the news.
            Closed::Lost if self.hung_up => true,
            other => return Err(Failure::Talk(other.to_string())),
        };
        if self.files_failed || self.sender.has_files() {
            return Err(Failure::FilesNotSent);
        }
        let took_all = self.sender.end().await;
        let read_all = self.has_read_all().await;
        if in_order && took_all && read_all { Ok(()) } else { Err(Failure::Unsaid) }
    }

    /// Whether a script's input was read to its end. A person may end a conversation at any time.
    async fn has_read_all(&mut self) -> bool {
        let input = &mut self.session.input;
        if !self.ends_with_input || self.finishing || input.is_terminal() || input.has_ended() {
            return true;
        }
        matches!(timeout(LAST_LINE_TIMEOUT, input.next()).await, Ok(None))
    }
}
