//! What a command talks with: the person, and the server.

use std::fmt;
use std::sync::Arc;

use securecall_client::{
    Client, Dialect, Disconnect, Error, ErrorCode, Event, Events, Identity, KnownKeys, Settings,
};
use securecall_peer::Receive;
use tokio::time::{Instant, timeout, timeout_at};

use super::GOODBYE_TIMEOUT;
use super::in_use::InUse;
use super::input::Input;
use super::interrupt::Interrupt;
use super::keyboard;
use super::options::{Opening, Options};
use super::screen::Screen;
use crate::failure::Failure;
use crate::files::identity_file::StoredIdentity;
use crate::runtime::runtime;
use crate::terminal::hints::explain;

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
    /// There was a connection, and it is lost.
    is_away: bool,
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

/// Who uses the command, before it is connected.
struct Person {
    screen: Arc<Screen>,
    input: Input,
    interrupt: Interrupt,
    identity: Identity,
    in_use: InUse,
}

impl Person {
    fn begin(options: &Options, interrupt: Interrupt) -> Result<Self, Failure> {
        let screen = Arc::new(Screen::new()?);
        let path = options.identity.resolve()?;
        let identity = StoredIdentity::read(&path)?.identity()?;
        let key = identity.directory_key();
        screen.note(&format!("you are {}, fingerprint {}", key.client_id(), key.fingerprint()));
        let input = Input::start(options.commands, screen.drawing());
        let in_use = InUse::look(&path, &options.server);
        Ok(Self { screen, input, interrupt, identity, in_use })
    }

    /// Registers, does `work`, and says goodbye.
    async fn works(
        mut self,
        command: &'static str,
        options: &Options,
        opening: Opening,
        work: impl AsyncFnOnce(&mut Session) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.confirm_takeover().await?;
        let mut in_use = std::mem::take(&mut self.in_use);
        let mut session = Session::begin(self, options, opening)?;
        in_use.mark(command);
        let result = match session.register(options).await {
            Ok(()) => work(&mut session).await,
            failed => failed,
        };
        say_goodbye(session.client).await;
        result
    }

    /// Says that another program is connected with this identity, which ends when this one is. A
    /// person may leave it at that.
    async fn confirm_takeover(&mut self) -> Result<(), Failure> {
        let Some(other) = &self.in_use.other else { return Ok(()) };
        let who = self.identity.directory_key().client_id().to_owned();
        self.screen.note(&format!(
            "{other} is connected as {who} already, and ends when this command connects; /call there \
             calls without that"
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
                Some(false) => return Err(Failure::LeftAlone),
                None => self.screen.note(GO_ON),
            }
        }
    }
}

const GO_ON: &str = "go on? [y/n]";

impl Session {
    /// Registers, does `work`, and says goodbye.
    pub(crate) fn run(
        command: &'static str,
        options: &Options,
        work: impl AsyncFnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Before anything that may take its time.
        let interrupt = Interrupt::listen()?;
        options.check()?;
        let opening = options.opening()?;
        let runtime = runtime()?;
        let result = runtime.block_on(async {
            let person = Person::begin(options, interrupt)?;
            let screen = person.screen.clone();
            let result = person.works(command, options, opening, work).await;
            screen.leave();
            keyboard::give_back();
            result
        });
        // A name that is being looked up is not waited for.
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
            .map_err(|error| Failure::Talk(error.to_string()))?;
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
                if trouble.never_mends() {
                    return Err(Failure::Server(last_cause.clone()));
                }
                if noted.as_ref() != Some(&last_cause) {
                    screen.note(&trouble.note());
                    noted = Some(last_cause.clone());
                }
            }
        };
        let in_time = timeout_at(*ready_by, interrupt.or(registering)).await;
        // What follows has a connection from its beginning.
        signals.is_away = false;
        in_time
            .unwrap_or_else(|_| Err(Failure::Server(format!("{}: {last_cause}", options.server))))
    }
}

impl Signals {
    /// Waits for the next one; of a server that is away, only that it is, and that it is back. `None`:
    /// the client has stopped. Cancel safe.
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

    /// Waits until this client cannot be registered for now. A call that comes meanwhile is kept, and
    /// what follows it waits. Cancel safe.
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

/// Why the server does not know this client yet.
enum Trouble {
    Away(Disconnect),
    /// The directory takes no key.
    Full,
}

impl Trouble {
    /// Whether this is no matter of time: a wrong address, a proxy that takes no WebSockets.
    fn never_mends(&self) -> bool {
        // 408 and 429 say that it is.
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
            Self::Full => f.write_str(KEY_WAITS),
        }
    }
}

/// What a server whose disk is full makes of a new key.
pub(super) const KEY_WAITS: &str =
    "the server cannot keep a key now: its disk or its directory is full";

/// Why the server does not take this client, and what to do.
fn refused(error: &Error) -> String {
    match error {
        Error::Refused { code: ErrorCode::KeyPinned, .. } => KEY_PINNED.to_owned(),
        error => error.to_string(),
    }
}
