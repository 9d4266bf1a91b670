//! What a command talks with: the person, and the server.

use std::sync::Arc;

use securecall_client::{
    Client, Dialect, Disconnect, Error, ErrorCode, Event, Events, KnownKeys, Settings,
};
use securecall_peer::Receive;
use tokio::time::{Instant, timeout, timeout_at};

use super::GOODBYE_TIMEOUT;
use super::input::Input;
use super::interrupt::Interrupt;
use super::options::{Opening, Options};
use super::screen::Screen;
use crate::failure::Failure;
use crate::hints::explain;
use crate::identity_file::StoredIdentity;
use crate::runtime::runtime;

/// A person at a terminal, or a script, that is registered with a server.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) signals: Signals,
    pub(crate) screen: Arc<Screen>,
    pub(crate) input: Input,
    pub(crate) interrupt: Interrupt,
    pub(crate) opening: Opening,
    /// What files that come are held to, over all conversations. `None`: none are taken.
    pub(crate) receive: Option<Receive>,
    /// When everything before the ringing must be done.
    pub(crate) ready_by: Instant,
}

/// What the client tells.
pub(crate) struct Signals {
    /// What came while something else was waited for.
    early: Option<Event>,
    events: Events,
    dialect: Dialect,
}

/// A new device, or somebody else's id.
pub(super) const KEY_PINNED: &str = "it has another key of this id, so nobody can call you. If the id is \
     yours and that device is lost, ask the operator for: securecall directory reset CLIENT_ID";

/// Tells the server that this client goes.
pub(crate) async fn say_goodbye(client: Client) {
    // A server that is not there is told nothing.
    let _ = timeout(GOODBYE_TIMEOUT, client.close()).await;
}

impl Session {
    /// Registers, does `work`, and says goodbye.
    pub(crate) fn run(
        options: &Options,
        work: impl AsyncFnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Before anything that may take its time.
        let interrupt = Interrupt::listen()?;
        options.check()?;
        let opening = options.opening()?;
        let runtime = runtime()?;
        let result = runtime.block_on(async {
            let mut session = Self::begin(options, opening, interrupt)?;
            let result = match session.register(options).await {
                Ok(()) => work(&mut session).await,
                failed => failed,
            };
            say_goodbye(session.client).await;
            result
        });
        // A name that is being looked up is not waited for.
        runtime.shutdown_background();
        result
    }

    fn begin(options: &Options, opening: Opening, interrupt: Interrupt) -> Result<Self, Failure> {
        let ready_by = Instant::now() + options.connect_timeout;
        let screen = Arc::new(Screen::new()?);
        let path = options.identity.resolve()?;
        let identity = StoredIdentity::read(&path)?.identity()?;
        let known_keys = options.identity.known_keys(options.known_keys.as_deref())?;
        let known_keys = KnownKeys::open(known_keys, &options.server)
            .map_err(|error| Failure::Talk(error.to_string()))?;
        let key = identity.directory_key();
        screen.note(&format!("you are {}, fingerprint {}", key.client_id(), key.fingerprint()));
        let settings = Settings::new(&options.server, identity).known_keys(known_keys);
        let (client, events) =
            Client::connect(settings).map_err(|error| Failure::Server(error.to_string()))?;
        let signals = Signals { early: None, events, dialect: Dialect::Two };
        let (input, receive) = (Input::start(options.commands), options.receive());
        Ok(Self { client, signals, screen, input, interrupt, opening, receive, ready_by })
    }

    async fn register(&mut self, options: &Options) -> Result<(), Failure> {
        let Self { client, signals, screen, interrupt, ready_by, .. } = self;
        let mut last_cause = "no answer".to_owned();
        let registering = async {
            tokio::pin! { let registered = client.registered(); }
            loop {
                let cause = tokio::select! {
                    biased;
                    done = &mut registered => {
                        return done.map_err(|error| Failure::Server(refused(&error)));
                    }
                    cause = signals.until_disconnected() => cause,
                };
                last_cause = explain(&cause);
                if never_mends(&cause) {
                    return Err(Failure::Server(last_cause.clone()));
                }
                screen.note(&format!("no connection to the server: {last_cause}; trying again"));
            }
        };
        let in_time = timeout_at(*ready_by, interrupt.or(registering)).await;
        in_time
            .unwrap_or_else(|_| Err(Failure::Server(format!("{}: {last_cause}", options.server))))
    }
}

impl Signals {
    /// Waits for the next one. `None`: the client has stopped. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        match self.early.take() {
            Some(event) => Some(event),
            None => self.receive().await,
        }
    }

    async fn receive(&mut self) -> Option<Event> {
        let event = self.events.next().await;
        if let Some(Event::Registered { dialect, .. }) = &event {
            self.dialect = *dialect;
        }
        event
    }

    /// What the server speaks.
    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// As [`Signals::next`], where nothing can go on without the client.
    ///
    /// # Errors
    /// It has stopped, and why.
    pub(crate) async fn next_of_running(&mut self) -> Result<Event, Failure> {
        match self.next().await {
            None => Err(Failure::Talk("the client has stopped".to_owned())),
            Some(Event::Stopped(stop)) => Err(Failure::Talk(stop.to_string())),
            Some(event) => Ok(event),
        }
    }

    /// Waits until there is no connection. A call that comes meanwhile is kept, and what follows it
    /// waits. Cancel safe.
    async fn until_disconnected(&mut self) -> Disconnect {
        while self.early.is_none() {
            match self.receive().await {
                Some(Event::Disconnected { cause, .. }) => return cause,
                Some(Event::Registered { .. }) => {}
                Some(event) => self.early = Some(event),
                None => break,
            }
        }
        std::future::pending().await
    }
}

/// Whether this is no matter of time: a wrong address, a proxy that takes no WebSockets.
fn never_mends(cause: &Disconnect) -> bool {
    // 408 and 429 say that it is.
    matches!(
        cause,
        Disconnect::Http(400..=407 | 409..=428 | 430..=499) | Disconnect::Redirected { .. }
    )
}

/// Why the server does not take this client, and what to do.
fn refused(error: &Error) -> String {
    match error {
        Error::Refused { code: ErrorCode::KeyPinned, .. } => KEY_PINNED.to_owned(),
        error => error.to_string(),
    }
}
