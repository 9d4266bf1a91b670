//! The decisions of the client, as a value: no socket, no clock, no randomness of its own.
//!
//! The contract of the shell that runs it:
//!
//! 1. Give it one input: [`Machine::handle_command`], [`Machine::handle_link`] for inputs from
//!    the connection, [`Machine::handle_saved_keys`], or [`Machine::handle_timeout`] when
//!    [`Machine::deadline`] has come.
//! 2. Carry out every [`Output`] that [`Machine::poll_output`] gives, in order.
//! 3. Wait for the next input.
//!
//! The machine routes: it hands each input to the values that it consists of, and carries what one
//! returns to the next one or to the outputs. None of them calls another one.
//!
//! | value | rules about |
//! |---|---|
//! | [`Connection`] | when to connect, to ping, to give up; the backoff |
//! | [`Registration`] | the dialect; which message is new; what resumes; when an ACK is due |
//! | [`Sender`] | order, pace and repetition of messages; requests until they are answered |
//! | [`Calls`] | the calls on record, their keys, and the ends that were sent |
//! | [`Publication`] | this client's key in the directory |
//! | [`Keyring`] | own and remembered keys; who may call |
//!
//! The other files are the routes: `received` from the server, `commands` from the application,
//! `callee`, `caller` and `candidates` for calls, `ending` for the one end of a call.

mod callee;
mod caller;
mod calls;
mod candidates;
mod commands;
mod connection;
mod ending;
mod keyring;
mod publication;
mod received;
mod reconnecting;
mod refusal;
mod registering;
mod registration;
mod requests;
mod resend;
mod sender;
#[cfg(test)]
mod tests;
mod trust;

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use rand_core::CryptoRng;
use securecall_protocol::{ClientId, MessageType};
use securecall_seal::{DirectoryKey, Identity};

use crate::command::Command;
use crate::known_keys::Saved as SavedKeys;
use crate::{Disconnect, Error, Event, KnownKeys, Stop};

use calls::Calls;
use connection::Connection;
use keyring::Keyring;
use publication::Publication;
use registration::Registration;
use sender::{Sender, Sent};

/// The time and the randomness, which the machine does not get by itself.
pub(crate) struct Context<'a> {
    /// For deadlines.
    pub(crate) now: Instant,
    /// The time of day, which offers are dated with.
    pub(crate) wall: SystemTime,
    /// For keys and for the backoff.
    pub(crate) rng: &'a mut dyn CryptoRng,
}

/// An input from the connection.
pub(crate) enum LinkInput<'a> {
    /// The WebSocket is open.
    Opened,
    /// A frame without a text came, a pong for instance.
    Heard,
    /// A text came.
    Text(&'a str),
    /// It is closed, or was never open. `retry_after` is what the server asked for.
    Lost { cause: Disconnect, retry_after: Option<Duration> },
}

/// An action of the shell.
pub(crate) enum Output {
    /// Open a connection, and forget the one before.
    Connect,
    /// Send a text.
    Send(String),
    /// Send a WebSocket ping.
    Ping,
    /// Send a close frame with this code, if any, and forget the connection.
    HangUp(Option<u16>),
    /// Report to the application.
    Event(Event),
    /// Save the remembered keys, and learn which ones other programs remember. Read nothing from
    /// the server before that is done: it may be a key.
    SyncKeys,
}

/// The client.
pub(crate) struct Machine {
    client_id: ClientId,
    keyring: Keyring,
    connection: Connection,
    registration: Registration,
    sender: Sender,
    calls: Calls,
    publication: Publication,
    stopped: Option<Stop>,
    outputs: VecDeque<Output>,
}

impl Machine {
    /// One that is about to connect.
    pub(crate) fn new(client_id: ClientId, identity: Identity, known_keys: KnownKeys) -> Self {
        Self {
            client_id,
            keyring: Keyring::new(identity, known_keys),
            connection: Connection::new(),
            registration: Registration::new(),
            sender: Sender::new(),
            calls: Calls::default(),
            publication: Publication::default(),
            stopped: None,
            outputs: VecDeque::new(),
        }
    }

    /// Without the directory, if the keys of those who may call are given.
    pub(crate) fn unlisted(self, callers: Option<Vec<DirectoryKey>>) -> Self {
        Self { keyring: self.keyring.unlisted(callers), ..self }
    }

    /// The application has a request.
    pub(crate) fn handle_command(&mut self, cx: &mut Context<'_>, command: Command) {
        if let Some(stop) = self.stopped {
            return commands::refuse(command, &Error::Stopped(stop));
        }
        self.carry_out(cx, command);
        self.flush(cx);
    }

    /// The connection has an input.
    pub(crate) fn handle_link(&mut self, cx: &mut Context<'_>, input: LinkInput<'_>) {
        if self.stopped.is_some() {
            return;
        }
        self.connection.heard(cx.now);
        match input {
            LinkInput::Opened => self.register(cx),
            LinkInput::Heard => {}
            LinkInput::Text(text) => self.handle_text(cx, text),
            LinkInput::Lost { cause, retry_after } => self.connection_lost(cx, cause, retry_after),
        }
        self.flush(cx);
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        if self.stopped.is_some() {
            return;
        }
        self.tend_connection(cx);
        self.publication.expire(cx.now);
        self.expire_requests(cx);
        self.expire_calls(cx);
        self.flush(cx);
    }

    /// The time of the next [`Machine::handle_timeout`]. `None`: there is none.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.stopped.is_some() {
            return None;
        }
        let any_time = [
            self.connection.deadline(),
            self.calls.deadline(),
            self.publication.deadline(),
            self.sender.requests_deadline(),
        ];
        let while_registered = [self.sender.deadline(), self.registration.ack_at()];
        let while_registered =
            while_registered.into_iter().filter(|_| self.connection.is_registered());
        any_time.into_iter().chain(while_registered).flatten().min()
    }

    /// The remembered keys were saved; those of other programs count from now on.
    pub(crate) fn handle_saved_keys(&mut self, cx: &mut Context<'_>, saved: SavedKeys) {
        let found = self.keyring.saved(saved);
        if self.stopped.is_none() {
            self.end_overruled_calls(cx, &found.overruled);
            for client_id in &found.without_room {
                self.report_not_remembered(client_id);
            }
            self.flush(cx);
        }
    }

    /// The next action of the shell.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The reason for which the client has stopped. `None`: it has not.
    pub(crate) const fn stopped(&self) -> Option<Stop> {
        self.stopped
    }

    /// The keys that the client remembers, to be saved.
    pub(crate) const fn known_keys(&self) -> &KnownKeys {
        self.keyring.known_keys()
    }

    fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Sends what may be sent now.
    fn flush(&mut self, cx: &Context<'_>) {
        self.ring_held(cx);
        if !self.connection.is_registered() {
            return;
        }
        for sent in self.sender.flush(cx.now) {
            self.send(sent);
        }
        self.acknowledge(cx);
    }

    fn send(&mut self, Sent { id, message_type, text }: Sent) {
        match message_type {
            // So that the answer is judged by what every program knows.
            MessageType::PkdLookup => self.outputs.push_back(Output::SyncKeys),
            MessageType::CallInitiate => self.calls.mark_begun(id, true),
            _ => {}
        }
        self.outputs.push_back(Output::Send(text));
    }
}
