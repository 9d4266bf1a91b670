//! A call that was made: what the server, the other end, the person and the clock say, until it
//! ends.

pub(crate) mod input;
pub(crate) mod options;
pub(crate) mod screen;
mod sender;
pub(crate) mod signaling;

use std::sync::Arc;
use std::time::Duration;

use securecall_client::{self as signal, CallId, Client, Ending};
use securecall_peer::{self as peer, Closed, Direction, Peer};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep_until, timeout};

use crate::failure::Failure;
use input::{Input, Line};
use options::Options;
use screen::Screen;
use sender::Sender;

/// How long the last words to the server may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the connection may take to be closed by the other end, after the server says that it
/// hung up.
const HANG_UP_TIMEOUT: Duration = Duration::from_secs(3);
/// So far away that it never comes.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Where a conversation runs: one thread does for two connections.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Talk(format!("no runtime: {error}")))
}

/// Tells the server that this client goes.
pub(crate) async fn say_goodbye(client: Client) {
    // A server that is not there is told nothing.
    let _ = timeout(GOODBYE_TIMEOUT, client.close()).await;
}

/// Both ways to the other end: signaling, sealed, through the server, and the data channel.
pub(crate) struct Conversation<'a> {
    pub(crate) client: &'a Client,
    pub(crate) signals: &'a mut signal::Events,
    pub(crate) call: CallId,
    pub(crate) peer: Peer,
    pub(crate) peer_events: peer::Events,
    /// The other person.
    pub(crate) who: String,
    pub(crate) options: &'a Options,
    pub(crate) screen: &'a Screen,
    pub(crate) input: &'a mut Input,
    /// Whether the call is over when there is no more input and everything is sent.
    pub(crate) ends_with_input: bool,
}

/// How a conversation stands.
struct State {
    sender: Sender,
    connected: bool,
    /// Somebody wants to end it, or the input has ended.
    finishing: bool,
    closing: bool,
    files_failed: bool,
    deadline: Instant,
}

/// Whether it goes on.
enum Step {
    On,
    Over(Result<(), Failure>),
}

impl Conversation<'_> {
    /// Runs to its end. An error: it did not come about, or broke off, or a file did not get
    /// through.
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        let peer = Arc::new(self.peer);
        let mut state = State::new(Sender::start(peer.clone(), self.options));
        let result = loop {
            let takes_input = state.takes_input() && !self.input.has_ended();
            let step = tokio::select! {
                event = self.peer_events.next() => {
                    on_peer(&self.who, self.client, self.call, self.options, self.screen, &mut state, event).await
                }
                Some(event) = self.signals.next() => {
                    on_signal(self.client, self.call, &peer, self.screen, &mut state, event).await
                }
                line = self.input.next(), if takes_input => {
                    on_line(self.ends_with_input && self.options.exit_after.is_none(), self.screen, &mut state, line);
                    Step::On
                }
                () = sleep_until(state.deadline) => {
                    state.finish();
                    state.deadline = Instant::now() + NEVER;
                    Step::On
                }
                () = state.sender.all_sent(), if state.finishing && !state.closing => {
                    state.closing = true;
                    peer.close().await;
                    Step::On
                }
                _ = tokio::signal::ctrl_c() => Step::Over(Err(Failure::Interrupted)),
            };
            if let Step::Over(result) = step {
                break result;
            }
        };
        peer.close().await;
        // So that relays are given back, and the other end hears of it.
        let closed = async { while self.peer_events.next().await.is_some() {} };
        let _ = timeout(GOODBYE_TIMEOUT, closed).await;
        // It may be over already.
        let _ = timeout(GOODBYE_TIMEOUT, self.client.end(self.call)).await;
        result
    }
}

impl State {
    fn new(sender: Sender) -> Self {
        Self {
            sender,
            connected: false,
            finishing: false,
            closing: false,
            files_failed: false,
            deadline: Instant::now() + NEVER,
        }
    }

    fn takes_input(&self) -> bool {
        self.connected && !self.finishing && self.sender.has_room()
    }

    /// What was asked for is sent, then it ends.
    fn finish(&mut self) {
        self.finishing = true;
        self.sender.finish();
    }
}

fn on_line(ends_with_input: bool, screen: &Screen, state: &mut State, line: Option<String>) {
    match line.as_deref().map(Line::parse) {
        None if ends_with_input => state.finish(),
        None | Some(Line::Nothing) => {}
        Some(Line::Quit) => state.finish(),
        Some(Line::Help) => screen.note("/send FILE sends a file, /quit hangs up, // says a slash"),
        Some(line) => state.sender.take(line),
    }
}

async fn on_peer(
    who: &str,
    client: &Client,
    call: CallId,
    options: &Options,
    screen: &Screen,
    state: &mut State,
    event: Option<peer::Event>,
) -> Step {
    match event {
        Some(peer::Event::Candidate(candidate)) => {
            // The call may be over, which its own event tells.
            let _ = client.candidate(call, candidate).await;
        }
        Some(peer::Event::Connected) => {
            state.connected = true;
            if let Some(after) = options.exit_after {
                state.deadline = Instant::now() + after;
            }
            screen.note(&format!("connected to {who}: /send FILE, /quit"));
        }
        Some(peer::Event::Text(text)) => screen.said(who, &text),
        Some(peer::Event::FileProgress(progress)) => screen.progress(&progress),
        Some(peer::Event::FileReceived { path }) => screen.received(&path),
        Some(peer::Event::FileSent { name }) => {
            screen.sent(&name);
            state.sender.file_done();
        }
        Some(peer::Event::FileFailed { direction, name, error }) => {
            screen.failed(direction, &name, &error.to_string());
            if direction == Direction::Outgoing {
                state.files_failed = true;
                state.sender.file_done();
            }
        }
        Some(peer::Event::Closed(closed)) => return Step::Over(outcome(&closed, state)),
        Some(_) => {}
        None => return Step::Over(Ok(())),
    }
    Step::On
}

/// What the end of the connection means for the command.
fn outcome(closed: &Closed, state: &State) -> Result<(), Failure> {
    let unfinished = state.files_failed || state.sender.has_files();
    match closed {
        Closed::Local | Closed::Remote if unfinished => Err(Failure::FilesNotSent),
        Closed::Local | Closed::Remote => Ok(()),
        other => Err(Failure::Talk(other.to_string())),
    }
}

async fn on_signal(
    client: &Client,
    call: CallId,
    peer: &Peer,
    screen: &Screen,
    state: &mut State,
    event: signal::Event,
) -> Step {
    match event {
        signal::Event::Accepted { call: of, answer, digits, .. } if of == call => {
            if let Some(digits) = digits {
                show_digits(screen, &digits.to_string());
            }
            if let Err(error) = peer.accept_answer(&answer).await {
                return Step::Over(Err(Failure::Talk(error.to_string())));
            }
        }
        signal::Event::Digits { call: of, digits } if of == call => {
            show_digits(screen, &digits.to_string());
        }
        signal::Event::Candidate { call: of, candidate } if of == call => {
            // One that cannot be read is of no use, and others may come.
            let _ = peer.add_candidate(&candidate).await;
        }
        signal::Event::Ended { call: of, reason } if of == call => {
            return on_end(screen, state, &reason);
        }
        signal::Event::Stopped(stop) if !state.connected => {
            return Step::Over(Err(Failure::Talk(stop.to_string())));
        }
        event => on_other_call(client, screen, event).await,
    }
    Step::On
}

fn show_digits(screen: &Screen, digits: &str) {
    screen.note(&format!("compare with them, over another way or by voice: {digits}"));
}

/// The server says that the call is over. A connection that stands does not need it: unless the
/// other end hung up, and then it says so itself.
fn on_end(screen: &Screen, state: &mut State, reason: &Ending) -> Step {
    match reason {
        Ending::Interference(error) => {
            screen.warn(&[
                "The answer is not theirs: somebody interferes. The call is over.",
                &error.to_string(),
            ]);
            Step::Over(Err(Failure::Interference))
        }
        _ if !state.connected => Step::Over(Err(Failure::Talk(why(reason)))),
        Ending::Ended(signal::EndReason::Hangup) => {
            // The channel's own end, which is on its way, tells more: it comes after all text.
            state.finish();
            state.deadline = Instant::now() + HANG_UP_TIMEOUT;
            Step::On
        }
        _ => {
            screen.note("the server has ended the call; the connection goes on without it");
            Step::On
        }
    }
}

/// Why there was no conversation, and what to do.
pub(crate) fn why(reason: &Ending) -> String {
    match reason {
        Ending::Rejected(signal::RejectReason::Busy) => "they are busy: try again later".to_owned(),
        Ending::Rejected(_) => "they declined".to_owned(),
        Ending::NotConnected => "they are not connected: try again later".to_owned(),
        Ending::Ended(signal::EndReason::Timeout) => "nobody answered".to_owned(),
        Ending::Refused(code) => format!("the server refused the call: {}", code.as_str()),
        Ending::Ended(reason) => format!("the call ended: {}", reason.as_str()),
        _ => "the call ended".to_owned(),
    }
}

/// Somebody else calls meanwhile, or the connection to the server changes.
pub(crate) async fn on_other_call(client: &Client, screen: &Screen, event: signal::Event) {
    match event {
        signal::Event::Incoming { call, caller, .. } => {
            screen.note(&format!("{} calls, and was told that you are busy", caller.as_str()));
            let _ = client.reject(call, signal::RejectReason::Busy).await;
        }
        signal::Event::KeyChanged { call, change } => {
            screen.note(&format!("{} calls with another key", change.client_id.as_str()));
            let _ = client.reject(call, signal::RejectReason::Busy).await;
        }
        signal::Event::Disconnected { cause, .. } => {
            screen.note(&format!("no connection to the server: {cause}; trying again"));
        }
        signal::Event::KeysNotSaved(error) => {
            screen.note(&format!("the keys that were seen are not saved: {error}"));
        }
        signal::Event::MessageRefused { error, .. } if error != signal::seal::Error::Replayed => {
            screen.note(&format!("a message did not open and is ignored: {error}"));
        }
        _ => {}
    }
}
