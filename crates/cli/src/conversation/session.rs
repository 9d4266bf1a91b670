//! The registered session of `call` and `listen`: the client, and the user's terminal.

use std::fmt;
use std::sync::Arc;

use securecall_client::{
    Client, Dialect, Disconnect, Error, ErrorCode, Event, Events, Identity, KnownKeys, Settings,
};
use securecall_peer::Receive;
use tokio::time::{Instant, timeout, timeout_at};

use super::GOODBYE_TIMEOUT;
use super::identity_lock::IdentityLock;
use super::input::Input;
use super::interrupt::Interrupt;
use super::keyboard;
use super::options::{Opening, Options};
use super::screen::Screen;
use crate::failure::Failure;
use crate::files::identity_file::StoredIdentity;
use crate::runtime::runtime;
use crate::terminal::explanation::explain;

/// A user at a terminal, or a script, registered with a server.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) signals: Signals,
    pub(crate) screen: Arc<Screen>,
    pub(crate) input: Input,
    pub(crate) interrupt: Interrupt,
    pub(crate) opening: Opening,
    /// The limits for received files over all conversations. `None` if no files are accepted.
    pub(crate) receive: Option<Receive>,
    /// The deadline for everything before the ringing.
    pub(crate) ready_by: Instant,
}

/// The events of the client.
pub(crate) struct Signals {
    /// An event that arrived during the registration, to be returned first.
    early: Option<Event>,
    /// True while the connection to the server is lost.
    is_away: bool,
    events: Events,
    dialect: Dialect,
}

/// The explanation of a pinned key: a new device, or an id that belongs to somebody else.
pub(super) const KEY_PINNED: &str = "it has another key for this id, so nobody can call you. If \
                                     the id is yours and that device is lost, ask the operator to \
                                     run: securecall directory reset CLIENT_ID";

/// Disconnects from the server.
pub(crate) async fn disconnect(client: Client) {
    // A server that cannot be reached needs no goodbye.
    let _ = timeout(GOODBYE_TIMEOUT, client.close()).await;
}

/// The user of the command, before the connection.
struct Person {
    screen: Arc<Screen>,
    input: Input,
    interrupt: Interrupt,
    identity: Identity,
    identity_lock: IdentityLock,
}

impl Person {
    fn begin(options: &Options, interrupt: Interrupt) -> Result<Self, Failure> {
        let screen = Arc::new(Screen::new()?);
        let path = options.identity.resolve()?;
        let identity = StoredIdentity::read(&path)?.identity()?;
        let key = identity.directory_key();
        screen.note(&format!("you are {}, fingerprint {}", key.client_id(), key.fingerprint()));
        let input = Input::start(options.commands, screen.drawing());
        let identity_lock = IdentityLock::open(&path, &options.server);
        Ok(Self { screen, input, interrupt, identity, identity_lock })
    }

    /// Registers, runs `work`, and disconnects.
    async fn works(
        mut self,
        command: &'static str,
        options: &Options,
        opening: Opening,
        work: impl AsyncFnOnce(&mut Session) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.confirm_takeover().await?;
        let mut identity_lock = std::mem::take(&mut self.identity_lock);
        let mut session = Session::begin(self, options, opening)?;
        identity_lock.hold(command);
        let result = match session.register(options).await {
            Ok(()) => work(&mut session).await,
            failed => failed,
        };
        disconnect(session.client).await;
        result
    }

    /// Warns that another program is connected with this identity, and would be disconnected. A
    /// user at a terminal may cancel.
    async fn confirm_takeover(&mut self) -> Result<(), Failure> {
        let Some(other) = &self.identity_lock.other else { return Ok(()) };
        let who = self.identity.directory_key().client_id().to_owned();
        self.screen.note(&format!(
            "{other} is connected as {who}, and will be disconnected by this command; use /call \
             there to avoid that"
        ));
        if !self.input.is_terminal() {
            return Ok(());
        }
        self.screen.note(GO_ON);
        loop {
            let answer = tokio::select! {
                cause = self.interrupt.raised() => return Err(Failure::Stopped(cause)),
                answer = self.input.answer() => answer.map_err(Failure::Input)?,
            };
            match answer {
                Some(true) => return Ok(()),
                Some(false) => return Err(Failure::TakeoverDeclined),
                None => self.screen.note(GO_ON),
            }
        }
    }
}

const GO_ON: &str = "go on? [y/n]";

impl Session {
    /// Registers, runs `work`, and disconnects.
    pub(crate) fn run(
        command: &'static str,
        options: &Options,
        work: impl AsyncFnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Signals must be handled before anything that may take long.
        let interrupt = Interrupt::listen()?;
        options.check()?;
        let opening = options.opening()?;
        let runtime = runtime()?;
        let result = runtime.block_on(async {
            let person = Person::begin(options, interrupt)?;
            let screen = person.screen.clone();
            let result = person.works(command, options, opening, work).await;
            screen.leave();
            keyboard::restore_modes();
            result
        });
        // A pending DNS lookup must not delay the exit.
        runtime.shutdown_background();
        result
    }

    fn begin(
        Person { screen, input, interrupt, identity, .. }: Person,
        options: &Options,
        opening: Opening,
    ) -> Result<Self, Failure> {
        let ready_by = Instant::now() + options.connect_timeout;
        let known_keys = options.identity.known_keys(options.known_keys.as_deref())?;
        let known_keys = KnownKeys::open(known_keys, &options.server)
            .map_err(|error| Failure::Conversation(error.to_string()))?;
        let settings = Settings::new(&options.server, identity).known_keys(known_keys);
        let (client, events) =
            Client::connect(settings).map_err(|error| Failure::Server(error.to_string()))?;
        let signals = Signals { early: None, is_away: false, events, dialect: Dialect::Two };
        let receive = options.receive();
        Ok(Self { client, signals, screen, input, interrupt, opening, receive, ready_by })
    }

    async fn register(&mut self, options: &Options) -> Result<(), Failure> {
        let Self { client, signals, screen, interrupt, ready_by, .. } = self;
        let (mut last_cause, mut noted) = ("no answer".to_owned(), None);
        let registering = async {
            tokio::pin! { let registered = client.registered(); }
            loop {
                let trouble = tokio::select! {
                    biased;
                    done = &mut registered => {
                        return done.map_err(|error| Failure::Server(refused(&error)));
                    }
                    trouble = signals.until_trouble() => trouble,
                };
                last_cause = trouble.to_string();
                if trouble.is_permanent() {
                    return Err(Failure::Server(last_cause.clone()));
                }
                if noted.as_ref() != Some(&last_cause) {
                    screen.note(&trouble.note());
                    noted = Some(last_cause.clone());
                }
            }
        };
        let in_time = timeout_at(*ready_by, interrupt.or(registering)).await;
        // Connection losses before the registration are not reported as such.
        signals.is_away = false;
        in_time
            .unwrap_or_else(|_| Err(Failure::Server(format!("{}: {last_cause}", options.server))))
    }
}

impl Signals {
    /// Waits for the next event. Of repeated connection losses only the first is returned, and of
    /// registrations only one after a loss. Returns `None` once the client has stopped. Cancel
    /// safe.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            let event = match self.early.take() {
                Some(event) => Some(event),
                None => self.receive().await,
            };
            let is_news = match &event {
                Some(Event::Disconnected { .. }) => !std::mem::replace(&mut self.is_away, true),
                Some(Event::Registered { .. }) => std::mem::replace(&mut self.is_away, false),
                _ => true,
            };
            if is_news {
                return event;
            }
        }
    }

    async fn receive(&mut self) -> Option<Event> {
        let event = self.events.next().await;
        if let Some(Event::Registered { dialect, .. }) = &event {
            self.dialect = *dialect;
        }
        event
    }

    /// Returns the dialect of the server.
    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns the next event, where nothing can go on without the client.
    ///
    /// # Errors
    /// The client has stopped.
    pub(crate) async fn next_of_running(&mut self) -> Result<Event, Failure> {
        match self.next().await {
            None => Err(Failure::Conversation("the client has stopped".to_owned())),
            Some(Event::Stopped(stop)) => Err(Failure::Conversation(stop.to_string())),
            Some(event) => Ok(event),
        }
    }

    /// Waits until the registration meets an obstacle. A call that arrives meanwhile is stored, and
    /// later events stay queued. Cancel safe.
    async fn until_trouble(&mut self) -> Trouble {
        while self.early.is_none() {
            match self.receive().await {
                Some(Event::Disconnected { cause, .. }) => return Trouble::Away(cause),
                Some(Event::KeyRefused { code: ErrorCode::Unavailable }) => return Trouble::Full,
                Some(Event::Registered { .. }) => {}
                Some(event) => self.early = Some(event),
                None => break,
            }
        }
        std::future::pending().await
    }
}

/// An obstacle to the registration.
enum Trouble {
    Away(Disconnect),
    /// The directory cannot store the key.
    Full,
}

impl Trouble {
    /// Returns true if waiting cannot help: a wrong URL, or a proxy without WebSocket support.
    fn is_permanent(&self) -> bool {
        // 408 and 429 are temporary.
        matches!(
            self,
            Self::Away(
                Disconnect::Http(400..=407 | 409..=428 | 430..=499)
                | Disconnect::Redirected { .. }
                | Disconnect::NoTls
                | Disconnect::TlsPort
                | Disconnect::NotSignal(_)
                | Disconnect::AuthorityCertificate,
            )
        )
    }
}

impl Trouble {
    fn note(&self) -> String {
        match self {
            Self::Away(_) => format!("no connection to the server: {self}; trying again"),
            Self::Full => format!("{self}; trying again"),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(cause) => f.write_str(&explain(cause)),
            Self::Full => f.write_str(KEY_NOT_STORED),
        }
    }
}

/// The explanation of a server that cannot store a new key.
pub(super) const KEY_NOT_STORED: &str =
    "the server cannot store a key now: its disk or its directory is full";

/// Returns the server's reason for refusing this client, and what the user can do.
fn refused(error: &Error) -> String {
    match error {
        Error::Refused { code: ErrorCode::KeyPinned, .. } => KEY_PINNED.to_owned(),
        error => error.to_string(),
    }
}
