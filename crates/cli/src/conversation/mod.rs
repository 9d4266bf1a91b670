//! A call that was made: what the server, the other end, the person and the clock say, until it
//! ends.

pub(crate) mod acquaintance;
mod call_back;
pub(crate) mod dial;
mod drawing;
mod editor;
pub(crate) mod end;
mod failed_files;
pub(crate) mod fingerprint;
mod in_use;
pub(crate) mod input;
mod interrupt;
mod keyboard;
mod line;
pub(crate) mod link;
pub(crate) mod options;
mod output;
mod over;
pub(crate) mod screen;
mod sender;
pub(crate) mod session;
mod signals;

use std::io;
use std::time::Duration;

use securecall_client as signal;
use securecall_peer::{self as peer, Closed, Direction, FileError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::failure::Failure;
use end::Side;
use failed_files::FailedFiles;
use input::Line;
use interrupt::Cause;
use link::{Link, Partner, Ringing};
use options::{Options, check_file};
use screen::Screen;
use sender::Sender;
use session::Session;

pub(crate) use signals::{on_other_call, reject_as_busy};

/// How long the last words to the server, and to the other end, may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(5);

/// A conversation with one person, over one call after the other if need be.
pub(crate) struct Conversation<'a> {
    session: &'a mut Session,
    options: &'a Options,
    partner: Partner,
    link: Link,
    sender: Sender,
    /// Whether the call is over when there is no more input and everything is sent.
    ends_with_input: bool,
    /// The call is the partner's, or the partner has answered it.
    answered: bool,
    connected: bool,
    was_connected: bool,
    /// Somebody here wants to end it, or the input has ended.
    finishing: bool,
    closing: bool,
    failed_files: FailedFiles,
    /// Something that was said in a call before this one did not get through.
    unsaid: bool,
    /// The server says that the other one did, and since when that should have shown.
    hung_up: bool,
    hang_up_due: Option<Instant>,
    /// When to hang up. `None`: when somebody wants to.
    deadline: Option<Instant>,
    deadline_reached: bool,
    side: Side,
    rings_since: Instant,
    /// When nobody answers any more. `None`: it is answered.
    rings_until: Option<Instant>,

    /// A call of the partner that rings while one's own does.
    crossing: Option<Ringing>,
    /// Why one's own call is over, while theirs may still ring.
    failed: Option<String>,
    /// A new call of the partner that is not connected yet.
    successor: Option<Link>,
    /// Calls that end beside this one: whether everything got through.
    retired: JoinSet<bool>,
}

/// What is next.
enum Turn {
    Peer(Option<peer::Event>),
    Successor(Option<peer::Event>),
    Signal(signal::Event),
    Line(Option<io::Result<Line>>),
    /// Everything is with the other end.
    AllSent,
    Deadline,
    Unanswered,
    /// The server said that they hung up, and the channel stands.
    StillThere,
    OutputFailed(io::Error),
    Interrupted(Cause),
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

/// Waits for the next event of a link, once there is room to show it.
async fn shown(link: &mut Link, screen: &Screen) -> Option<peer::Event> {
    screen.room().await;
    link.events.next().await
}

/// Waits for the next event of a link, if there is one.
async fn next_of(link: &mut Option<Link>) -> Option<peer::Event> {
    match link {
        Some(link) => link.events.next().await,
        None => std::future::pending().await,
    }
}

impl<'a> Conversation<'a> {
    /// One whose call was answered here.
    pub(crate) fn new(
        session: &'a mut Session,
        options: &'a Options,
        partner: Partner,
        link: Link,
    ) -> Self {
        let sender = Sender::start(link.peer.clone(), session.opening.clone());
        Self {
            session,
            options,
            partner,
            link,
            sender,
            ends_with_input: false,
            answered: true,
            connected: false,
            was_connected: false,
            finishing: false,
            closing: false,
            failed_files: FailedFiles::default(),
            unsaid: false,
            hung_up: false,
            hang_up_due: None,
            deadline: None,
            deadline_reached: false,
            side: Side::Callee,
            rings_since: Instant::now(),
            rings_until: None,
            crossing: None,
            failed: None,
            successor: None,
            retired: JoinSet::new(),
        }
    }

    /// One whose call rings there.
    pub(crate) fn calling(self) -> Self {
        let rings_until = Some(Instant::now() + self.options.ring_timeout);
        Self { answered: false, rings_until, side: Side::Caller, ..self }
    }

    /// One that the end of the input ends, too, unless its duration is given.
    pub(crate) fn ending_with_input(self) -> Self {
        let ends_with_input = self.options.exit_after.is_none();
        Self { ends_with_input, ..self }
    }

    /// Runs to its end. An error: it did not come about, or broke off, or something did not get
    /// through.
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        let over = loop {
            let turn = self.next().await;
            let mut interrupt = self.session.interrupt.clone();
            let step = tokio::select! {
                biased;
                cause = interrupt.raised() => Step::Over(Err(Failure::HungUp(cause))),
                step = self.take(turn) => step,
            };
            if let Step::Over(over) = step {
                break over;
            }
        };
        let by = self.hung_up_by();
        self.hang_up().await;
        let flushed = self.flush().await;
        self.outcome(over?, by).await.and(flushed)
    }

    async fn next(&mut self) -> Turn {
        let takes_input = self.takes_input();
        let room = self.sender.room();
        let Session { signals, input, interrupt, screen, .. } = &mut *self.session;
        let line = async {
            // Who hangs up a second time does not wait for room.
            if !self.finishing {
                room.await;
            }
            input.next().await
        };
        tokio::select! {
            event = shown(&mut self.link, screen) => Turn::Peer(event),
            error = screen.output_failed() => Turn::OutputFailed(error),
            event = next_of(&mut self.successor) => Turn::Successor(event),
            Some(event) = signals.next() => Turn::Signal(event),
            line = line, if takes_input => Turn::Line(line),
            () = self.sender.all_sent(), if self.finishing && !self.closing => Turn::AllSent,
            () = until(self.deadline) => Turn::Deadline,
            () = until(self.rings_until) => Turn::Unanswered,
            () = until(self.hang_up_due) => Turn::StillThere,
            cause = interrupt.raised() => Turn::Interrupted(cause),
        }
    }

    fn takes_input(&self) -> bool {
        self.connected && !self.closing && !self.session.input.has_ended()
    }

    async fn take(&mut self, turn: Turn) -> Step {
        match turn {
            Turn::Peer(event) => return self.on_peer(event),
            Turn::Successor(event) => self.on_successor(event),
            Turn::Signal(event) => return self.on_signal(event).await,
            Turn::Line(Some(Err(error))) => return Step::Over(Err(Failure::Input(error))),
            Turn::Line(Some(Ok(Line::Quit))) if self.finishing => self.close(),
            // What is said after /quit is too late.
            Turn::Line(Some(Ok(_))) if self.finishing => {}
            Turn::Line(Some(Ok(line))) => self.on_line(line),
            Turn::Line(None) if self.ends_with_input => self.finish(),
            Turn::Line(None) => {}
            Turn::AllSent => self.close(),
            Turn::Deadline => {
                self.deadline = None;
                self.deadline_reached = true;
                self.finish();
                self.close();
            }
            Turn::Unanswered => return self.on_unanswered().await,
            Turn::OutputFailed(error) => return Step::Over(Err(Failure::Output(error))),
            Turn::StillThere => self.note_still_there(),
            Turn::Interrupted(cause) => return Step::Over(Err(Failure::HungUp(cause))),
        }
        Step::On
    }

    /// What was asked for is sent, then it ends.
    fn finish(&mut self) {
        self.finishing = true;
        self.sender.finish();
    }

    /// It ends, whatever is under way.
    fn close(&mut self) {
        self.closing = true;
        self.link.close();
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
            Line::Call(_) => {
                let who = self.partner.name();
                let note = format!("you are in a call with {who}: /quit, then /call");
                self.session.screen.note(&note);
            }
            Line::Send(path) => match check_file(&path) {
                Ok(()) => self.sender.take(Line::Send(path)),
                Err(cause) => {
                    let name = path.display().to_string();
                    self.session.screen.note(&format!("not sent: {name}: {cause}"));
                    self.failed_files.add(Direction::Outgoing, &name);
                }
            },
            line => self.sender.take(line),
        }
    }

    fn on_peer(&mut self, event: Option<peer::Event>) -> Step {
        let Some(event) = event else { return self.on_closed(Closed::Local) };
        if let Err(error) = self.session.screen.show(self.partner.name(), &event) {
            return Step::Over(Err(Failure::Output(error)));
        }
        match event {
            peer::Event::Candidate(candidate) => self.link.send_candidate(candidate),
            peer::Event::Connected => self.on_connected(),
            peer::Event::FileSent { name, .. } => self.sender.file_done(&name),
            peer::Event::FileFailed { direction, name, error } => {
                // One that is not wanted here fails there alone.
                if direction == Direction::Outgoing || error == FileError::Cancelled {
                    self.failed_files.add(direction, &name);
                }
                if direction == Direction::Outgoing {
                    self.sender.file_done(&name);
                }
            }
            peer::Event::Closed(closed) => return self.on_closed(closed),
            _ => {}
        }
        Step::On
    }

    fn on_connected(&mut self) {
        self.connected = true;
        if !std::mem::replace(&mut self.was_connected, true) {
            self.deadline = self.options.exit_after.map(|after| Instant::now() + after);
        }
        let who = self.partner.name();
        self.session.screen.note(&format!("connected to {who}: /send FILE, /quit"));
    }

    /// A conversation that nobody here wants to end goes on with their new call, if there is one.
    fn on_closed(&mut self, closed: Closed) -> Step {
        if !self.closing && self.move_to_successor() { Step::On } else { Step::Over(Ok(closed)) }
    }
}
