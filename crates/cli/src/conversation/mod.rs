//! A conversation: handles events of the server, the peer, the user and the clock until it ends.

mod call_back;
pub(crate) mod dial;
mod drawing;
mod editor;
pub(crate) mod end;
mod failed_files;
pub(crate) mod fingerprint;
mod identity_lock;
pub(crate) mod input;
mod interrupt;
pub(crate) mod key_check;
mod keyboard;
mod line;
pub(crate) mod link;
pub(crate) mod options;
mod output;
pub(crate) mod screen;
mod sender;
pub(crate) mod session;
mod signals;
mod teardown;

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

/// The time limit for the last messages to the server and to the other end.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(5);

/// A conversation with one partner. It may span several calls, one after the other.
pub(crate) struct Conversation<'a> {
    session: &'a mut Session,
    options: &'a Options,
    partner: Partner,
    link: Link,
    sender: Sender,
    /// True if the end of the input ends the call, once everything is sent.
    ends_with_input: bool,
    /// True once either side has answered the call.
    answered: bool,
    connected: bool,
    was_connected: bool,
    /// True once the user or the end of the input has asked for the end.
    finishing: bool,
    closing: bool,
    failed_files: FailedFiles,
    /// True if something that was queued in an earlier call was not delivered.
    undelivered: bool,
    /// True once the server reported that the partner hung up. The channel should close before
    /// `hang_up_due`.
    hung_up: bool,
    hang_up_due: Option<Instant>,
    /// The time to hang up by `--exit-after`. `None` if there is no such time.
    deadline: Option<Instant>,
    deadline_reached: bool,
    side: Side,
    rings_since: Instant,
    /// The time at which the ringing ends. `None` once the call is answered.
    rings_until: Option<Instant>,

    /// A ringing call of the partner, while the own call rings too.
    crossing: Option<Ringing>,
    /// The sentence about the end of the own call, while a call of the partner may still ring.
    failed: Option<String>,
    /// A new call of the partner that is not connected yet.
    successor: Option<Link>,
    /// Replaced calls that are being torn down; each returns true if everything in it was
    /// delivered.
    retired: JoinSet<bool>,
}

/// The next event of a conversation.
enum NextEvent {
    Peer(Option<peer::Event>),
    Successor(Option<peer::Event>),
    Signal(signal::Event),
    Line(Option<io::Result<Line>>),
    /// Everything queued has been delivered.
    AllSent,
    Deadline,
    Unanswered,
    /// The server reported that the partner hung up, but the channel is still open.
    StillThere,
    OutputFailed(io::Error),
    Interrupted(Cause),
}

/// The decision after an event.
enum Step {
    Continue,
    /// The conversation has ended: the channel is closed, or there was a failure.
    End(Result<Closed, Failure>),
}

/// Waits for a deadline, or forever if there is none.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Waits until the screen has room, then for the next event of a link.
async fn shown(link: &mut Link, screen: &Screen) -> Option<peer::Event> {
    screen.room().await;
    link.events.next().await
}

/// Waits for the next event of a link, or forever if there is none.
async fn next_of(link: &mut Option<Link>) -> Option<peer::Event> {
    match link {
        Some(link) => link.events.next().await,
        None => std::future::pending().await,
    }
}

impl<'a> Conversation<'a> {
    /// Starts a conversation whose call was answered here.
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
            undelivered: false,
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

    /// Turns it into an outgoing call that rings at the partner.
    pub(crate) fn calling(self) -> Self {
        let rings_until = Some(Instant::now() + self.options.ring_timeout);
        Self { answered: false, rings_until, side: Side::Caller, ..self }
    }

    /// Makes the end of the input end the call, unless `--exit-after` is set.
    pub(crate) fn ending_with_input(self) -> Self {
        let ends_with_input = self.options.exit_after.is_none();
        Self { ends_with_input, ..self }
    }

    /// Runs the conversation to its end.
    ///
    /// # Errors
    /// The call failed or broke off, or something was not delivered.
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        let over = loop {
            let turn = self.next().await;
            let mut interrupt = self.session.interrupt.clone();
            let step = tokio::select! {
                biased;
                cause = interrupt.raised() => Step::End(Err(Failure::HungUp(cause))),
                step = self.take(turn) => step,
            };
            if let Step::End(over) = step {
                break over;
            }
        };
        let by = self.hung_up_by();
        self.hang_up().await;
        let flushed = self.flush().await;
        self.outcome(over?, by).await.and(flushed)
    }

    async fn next(&mut self) -> NextEvent {
        let takes_input = self.takes_input();
        let room = self.sender.room();
        let Session { signals, input, interrupt, screen, .. } = &mut *self.session;
        let line = async {
            // After the first `/quit`, a second one must be read even if the queue is full.
            if !self.finishing {
                room.await;
            }
            input.next().await
        };
        tokio::select! {
            event = shown(&mut self.link, screen) => NextEvent::Peer(event),
            error = screen.output_failed() => NextEvent::OutputFailed(error),
            event = next_of(&mut self.successor) => NextEvent::Successor(event),
            Some(event) = signals.next() => NextEvent::Signal(event),
            line = line, if takes_input => NextEvent::Line(line),
            () = self.sender.all_sent(), if self.finishing && !self.closing => NextEvent::AllSent,
            () = until(self.deadline) => NextEvent::Deadline,
            () = until(self.rings_until) => NextEvent::Unanswered,
            () = until(self.hang_up_due) => NextEvent::StillThere,
            cause = interrupt.raised() => NextEvent::Interrupted(cause),
        }
    }

    fn takes_input(&self) -> bool {
        self.connected && !self.closing && !self.session.input.has_ended()
    }

    async fn take(&mut self, turn: NextEvent) -> Step {
        match turn {
            NextEvent::Peer(event) => return self.on_peer(event),
            NextEvent::Successor(event) => self.on_successor(event),
            NextEvent::Signal(event) => return self.on_signal(event).await,
            NextEvent::Line(Some(Err(error))) => return Step::End(Err(Failure::Input(error))),
            NextEvent::Line(Some(Ok(Line::Quit))) if self.finishing => self.close(),
            // Text that follows `/quit` is ignored.
            NextEvent::Line(Some(Ok(_))) if self.finishing => {}
            NextEvent::Line(Some(Ok(line))) => self.on_line(line),
            NextEvent::Line(None) if self.ends_with_input => self.finish(),
            NextEvent::Line(None) => {}
            NextEvent::AllSent => self.close(),
            NextEvent::Deadline => {
                self.deadline = None;
                self.deadline_reached = true;
                self.finish();
                self.close();
            }
            NextEvent::Unanswered => return self.on_unanswered().await,
            NextEvent::OutputFailed(error) => return Step::End(Err(Failure::Output(error))),
            NextEvent::StillThere => self.note_still_there(),
            NextEvent::Interrupted(cause) => return Step::End(Err(Failure::HungUp(cause))),
        }
        Step::Continue
    }

    /// Ends the call once everything queued is sent.
    fn finish(&mut self) {
        self.finishing = true;
        self.sender.finish();
    }

    /// Ends the call at once.
    fn close(&mut self) {
        self.closing = true;
        self.link.close();
    }

    fn on_line(&mut self, line: Line) {
        match line {
            Line::Nothing => {}
            Line::Quit => {
                if self.sender.has_files() {
                    self.session.screen.note("a file is being sent: /quit again cancels it");
                }
                self.finish();
            }
            Line::Help => {
                let help = "/send FILE sends a file, /quit hangs up, // sends a line that begins \
                            with a slash";
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
            return Step::End(Err(Failure::Output(error)));
        }
        match event {
            peer::Event::Candidate(candidate) => self.link.send_candidate(candidate),
            peer::Event::Connected => self.on_connected(),
            peer::Event::FileSent { name, .. } => self.sender.file_done(&name),
            peer::Event::FileFailed { direction, name, error } => {
                // A file that was refused here is only the sender's failure.
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
        Step::Continue
    }

    fn on_connected(&mut self) {
        self.connected = true;
        if !std::mem::replace(&mut self.was_connected, true) {
            self.deadline = self.options.exit_after.map(|after| Instant::now() + after);
        }
        let who = self.partner.name();
        self.session.screen.note(&format!("connected to {who}: /send FILE, /quit"));
    }

    /// Ends the conversation, unless a new call of the partner continues it.
    fn on_closed(&mut self, closed: Closed) -> Step {
        if !self.closing && self.move_to_successor() {
            Step::Continue
        } else {
            Step::End(Ok(closed))
        }
    }
}
