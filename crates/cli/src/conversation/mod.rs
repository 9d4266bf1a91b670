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
use securecall_peer::{self as peer, Closed, Direction, FileError, Peer};
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
    /// When to hang up. `None`: when somebody wants to.
    deadline: Option<Instant>,
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

/// Waits for a deadline, if there is one.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
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
            deadline: None,
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
        let room = self.sender.room();
        let Session { signals, input, interrupt, .. } = &mut *self.session;
        let line = async {
            // Who hangs up a second time does not wait for room.
            if !self.finishing {
                room.await;
            }
            input.next().await
        };
        tokio::select! {
            event = self.peer_events.next() => Turn::Peer(event),
            Some(event) = signals.next() => Turn::Signal(event),
            line = line, if takes_input => Turn::Line(line),
            () = self.sender.all_sent(), if self.finishing && !self.closing => Turn::AllSent,
            () = until(self.deadline) => Turn::Deadline,
            () = interrupt.raised() => Turn::Interrupted,
        }
    }

    fn takes_input(&self) -> bool {
        self.connected && !self.closing && !self.session.input.has_ended()
    }

    async fn take(&mut self, turn: Turn) -> Step {
        match turn {
            Turn::Peer(event) => return self.on_peer(event).await,
            Turn::Signal(event) => return self.on_signal(event).await,
            Turn::Line(Some(Err(error))) => return Step::Over(Err(Failure::Input(error))),
            Turn::Line(Some(Ok(Line::Quit))) if self.finishing => self.close().await,
            // What is said after /quit is too late.
            Turn::Line(Some(Ok(_))) if self.finishing => {}
            Turn::Line(Some(Ok(line))) => self.on_line(line),
            Turn::Line(None) if self.ends_with_input => self.finish(),
            Turn::Line(None) => {}
            Turn::AllSent => self.close().await,
            Turn::Deadline => {
                self.deadline = None;
                self.finish();
                self.close().await;
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

    /// It ends, whatever is under way.
    async fn close(&mut self) {
        self.closing = true;
        self.peer.close().await;
    }

    fn on_line(&mut self, line: Line) {
        match line {
            Line::Nothing => {}
            Line::Quit => {
                if self.sender.has_files() {
                    self.session.screen.note("a file is under way: /quit again gives it up");
                }
                self.finish();
            }
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
                    self.deadline = Some(Instant::now() + after);
                }
                screen.note(&format!("connected to {}: /send FILE, /quit", self.who));
            }
            Some(peer::Event::Text(text)) => {
                if let Err(error) = screen.said(self.who, &text) {
                    return Step::Over(Err(Failure::Output(error)));
                }
            }
            Some(peer::Event::FileProgress(progress)) => screen.progress(&progress),
            Some(peer::Event::FileReceived { path }) => screen.received(&path),
            Some(peer::Event::FileSent { name, received_as }) => {
                screen.sent(&name, received_as.as_deref());
                self.sender.file_done();
            }
            Some(peer::Event::FileFailed { direction, name, error }) => {
                screen.failed(direction, &name, &error.to_string());
                // One that is not wanted here fails there alone.
                self.files_failed |=
                    direction == Direction::Outgoing || error == FileError::Cancelled;
                if direction == Direction::Outgoing {
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
        // What has arrived is shown.
        let closed = async {
            while let Some(event) = self.peer_events.next().await {
                let _ = self.on_peer(Some(event)).await;
            }
        };
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
