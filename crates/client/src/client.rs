//! The application's hand on the client.

use std::time::Duration;

use securecall_protocol::{ClientId, RejectReason, client::IceServer};
use securecall_seal::DirectoryKey;
use tokio::sync::{mpsc, oneshot};

use crate::command::{Command, Reply};
use crate::shell::{self, Address};
use crate::{CallId, ConnectError, Error, Event, Settings, Stop};

/// Bound of the events that the application has not taken. Beyond that the client reads nothing
/// from the server, which closes the connection in the end (1013); the client comes back and
/// resumes.
const EVENTS_MAX: usize = 1024;
/// Bound of the queued requests to the client; whoever has one more waits with it.
const COMMANDS_MAX: usize = 64;

/// A client that is registered, or connects to be. Clones are the same client.
///
/// When the last clone is dropped, the client ends its calls and closes the connection with 1000.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
}

/// The events of a client, in order.
#[derive(Debug)]
pub struct Events {
    events: mpsc::Receiver<Event>,
}

/// The directory's answer about somebody, beside what is remembered.
#[derive(Clone)]
pub enum LookedUp {
    /// It has no key of that client.
    Nothing,
    /// A key; nothing is remembered about the client.
    New(DirectoryKey),
    /// The key that is remembered.
    Known(DirectoryKey),
    /// Another key than the one remembered.
    Changed {
        /// The fingerprint remembered.
        remembered: String,
        /// The key in the directory.
        present: DirectoryKey,
    },
}

/// Relays of the server, for a call that is about to be offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnCredentials {
    /// For `RTCPeerConnection` or its like; empty if the server has no TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// The time for which they allocate.
    pub time_to_live: Duration,
}

impl TurnCredentials {
    pub(crate) fn new(ice_servers: Vec<IceServer>, ttl_seconds: u64) -> Self {
        Self { ice_servers, time_to_live: Duration::from_secs(ttl_seconds) }
    }
}

impl Client {
    /// Starts a client, on the tokio runtime of the caller, and returns at once: it connects by
    /// itself, and again and again. Wait for [`Client::registered_within`].
    ///
    /// # Errors
    /// Settings that can never work: an address that is no URL, known keys of another server, TLS
    /// that cannot be set up.
    pub fn connect(settings: Settings) -> Result<(Self, Events), ConnectError> {
        let address = Address::parse(&settings.url)?;
        let client_id = ClientId::try_from(settings.identity.directory_key().client_id())
            .map_err(|_| ConnectError::ClientId)?;
        let (commands, to_obey) = mpsc::channel(COMMANDS_MAX);
        let (to_tell, events) = mpsc::channel(EVENTS_MAX);
        shell::start(settings, address, client_id, to_obey, to_tell)?;
        Ok((Self { commands }, Events { events }))
    }

    /// Waits until the server knows this client and has its directory key, so that others can
    /// call it. Where the address is wrong it waits for ever, as the client tries for ever;
    /// [`Client::registered_within`] is for a program with a person in front of it.
    ///
    /// # Errors
    /// [`Error::Refused`] with `KEY_PINNED`: the directory has another key of this id.
    /// [`Error::Stopped`].
    pub async fn registered(&self) -> Result<(), Error> {
        self.ask(|reply| Command::Registered { within: None, reply }).await
    }

    /// Waits as [`Client::registered`], at most this long.
    ///
    /// # Errors
    /// [`Error::NotRegistered`] with the cause; the client goes on trying.
    /// [`Error::Refused`] and [`Error::Stopped`], as [`Client::registered`].
    pub async fn registered_within(&self, within: Duration) -> Result<(), Error> {
        self.ask(|reply| Command::Registered { within: Some(within), reply }).await
    }

    /// Calls somebody. Looks up the key, seals the offer, and returns when it is on its way; what
    /// becomes of the call follows as events. Candidates can be given at once.
    ///
    /// # Errors
    /// [`Error::NoKey`], [`Error::KeyChanged`], [`Error::Seal`]: there is nobody whom it could be
    /// sealed for. [`Error::TimedOut`]: no connection for 30 seconds.
    pub async fn call(&self, target: &ClientId, offer: impl Into<String>) -> Result<CallId, Error> {
        let (target, offer) = (target.clone(), offer.into());
        self.ask(|reply| Command::Call { target, offer, reply }).await
    }

    /// Calls the holder of this key, which [`Client::lookup`] gave: for an application that has
    /// shown it to its user. The directory is not asked again, and cannot give another one.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_with(
        &self,
        key: &DirectoryKey,
        offer: impl Into<String>,
    ) -> Result<CallId, Error> {
        let (key, offer) = (Box::new(key.clone()), offer.into());
        self.ask(|reply| Command::CallWith { key, offer, reply }).await
    }

    /// Answers a call that came as [`Event::Incoming`].
    ///
    /// # Errors
    /// [`Error::KeyChanged`]: since it rang, another key of the caller has become the one
    /// remembered; the call rings on.
    /// [`Error::NoSuchCall`]: it is over. [`Error::WrongMoment`]: it is answered already, or one's
    /// own.
    pub async fn accept(&self, call: CallId, answer: impl Into<String>) -> Result<(), Error> {
        let answer = answer.into();
        self.ask(|reply| Command::Accept { call, answer, reply }).await
    }

    /// Declines a call that came as [`Event::Incoming`] or [`Event::KeyChanged`].
    ///
    /// # Errors
    /// As [`Client::accept`].
    pub async fn reject(&self, call: CallId, reason: RejectReason) -> Result<(), Error> {
        self.ask(|reply| Command::Reject { call, reason, reply }).await
    }

    /// Hangs up, or cancels a call that is not answered.
    ///
    /// # Errors
    /// [`Error::NoSuchCall`]: it is over.
    pub async fn end(&self, call: CallId) -> Result<(), Error> {
        self.ask(|reply| Command::End { call, reply }).await
    }

    /// Sends a candidate, in any form that the other end understands; an empty text is not told
    /// there. Until the call is answered it waits here: there are no keys to seal it with.
    ///
    /// # Errors
    /// [`Error::TooMuchWaits`]: 256 wait in this call, or 1,024 in all. [`Error::NoSuchCall`].
    pub async fn candidate(&self, call: CallId, candidate: impl Into<String>) -> Result<(), Error> {
        let candidate = candidate.into();
        self.ask(|reply| Command::Candidate { call, candidate, reply }).await
    }

    /// Sends a signal in an answered call: an ICE restart, mute.
    ///
    /// # Errors
    /// [`Error::WrongMoment`]: the call is not answered, or the server speaks dialect 1.
    pub async fn signal(&self, call: CallId, signal: impl Into<String>) -> Result<(), Error> {
        let signal = signal.into();
        self.ask(|reply| Command::Signal { call, signal, reply }).await
    }

    /// Asks the directory for somebody's key, and compares it with the one remembered. Remembers
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Seal`]: what the directory holds is no key of that client.
    pub async fn lookup(&self, client_id: &ClientId) -> Result<LookedUp, Error> {
        let client_id = client_id.clone();
        self.ask(|reply| Command::Lookup { client_id, reply }).await
    }

    /// Remembers a key, in place of any other of that client: the user has compared fingerprints.
    /// A call that waits for that rings.
    ///
    /// # Errors
    /// [`Error::TooManyKeys`], [`Error::Stopped`].
    pub async fn trust(&self, key: &DirectoryKey) -> Result<(), Error> {
        let key = Box::new(key.clone());
        self.ask(|reply| Command::Trust { key, reply }).await
    }

    /// Asks for relays. A caller does so before it makes its offer.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Stopped`].
    pub async fn turn_credentials(&self) -> Result<TurnCredentials, Error> {
        self.ask(|reply| Command::TurnCredentials { reply }).await
    }

    /// The device has another network: connects again at once, instead of finding out.
    pub async fn network_changed(&self) {
        let _ = self.commands.send(Command::NetworkChanged).await;
    }

    /// Ends all calls, closes the connection with 1000, and stops for good. Waits until that is
    /// done.
    pub async fn close(self) {
        let _ = self.commands.send(Command::Close).await;
        self.commands.closed().await;
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        const STOPPED: Error = Error::Stopped(Stop::Here);
        let (reply, result) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| STOPPED)?;
        result.await.unwrap_or(Err(STOPPED))
    }
}

impl Events {
    /// Waits for the next event. `None`: the client has stopped, and there are no more events.
    ///
    /// Cancel safe: an event that was not returned is returned next time.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}
