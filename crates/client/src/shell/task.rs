//! The task that carries out what the machine decides.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::socket::{Connector, Failure, Heard, Socket};
use crate::Event;
use crate::command::Command;
use crate::known_keys::{Saved, Unsaved};
use crate::machine::{Context, LinkInput, Machine, Output};

type Connecting = Pin<Box<dyn Future<Output = Result<Box<Socket>, Failure>> + Send>>;
type Saving = Pin<Box<dyn Future<Output = Result<Saved, String>> + Send>>;

/// Time for the disk to save the known keys. Meanwhile nothing is read from the server.
const SAVE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Task {
    machine: Machine,
    connector: Connector,
    connection: Connection,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    /// Events for which the application has no room. While there are any, nothing is read.
    untold: VecDeque<Event>,
    /// A save under way; and whether another one is due after it.
    saving: Option<Saving>,
    unsaved: bool,
}

enum Connection {
    None,
    Opening(Connecting),
    Open(Box<Socket>),
}

/// A thing that the task waits for.
enum Input {
    Time,
    /// An event that had no room has some now, or nobody listens any more.
    Told,
    Saved(Result<Saved, String>),
    Opened(Result<Box<Socket>, Failure>),
    Heard(Result<Heard, Failure>),
    Command(Command),
}

impl Task {
    pub(super) const fn new(
        machine: Machine,
        connector: Connector,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            machine,
            connector,
            connection: Connection::None,
            commands,
            events,
            untold: VecDeque::new(),
            saving: None,
            unsaved: false,
        }
    }

    pub(super) async fn run(mut self) {
        self.step(|machine, cx| machine.handle_timeout(cx)).await;
        while self.machine.stopped().is_none() {
            let input = self.next_input().await;
            self.handle(input).await;
        }
        self.finish().await;
    }

    /// Waits for the first of these, looked at in this order: deadlines, so that a flood of
    /// messages does not hold up a ping; events that have no room; the connection; new requests.
    /// The last are taken also when events have no room: who waits for the one may be who takes the
    /// other.
    async fn next_input(&mut self) -> Input {
        let (full, is_saving) = (!self.untold.is_empty(), self.saving.is_some());
        tokio::select! {
            biased;
            () = until(self.machine.deadline()) => Input::Time,
            permit = self.events.reserve(), if full => {
                if let (Ok(permit), Some(event)) = (permit, self.untold.pop_front()) {
                    permit.send(event);
                }
                Input::Told
            }
            saved = joined(&mut self.saving) => Input::Saved(saved),
            // A key from the server is judged by what is saved by then.
            input = self.connection.next(full || is_saving) => input,
            command = self.commands.recv() => {
                // Without anybody who holds the client there is nobody to keep it for.
                Input::Command(command.unwrap_or(Command::Close))
            }
        }
    }

    async fn handle(&mut self, input: Input) {
        match input {
            Input::Time => self.step(|machine, cx| machine.handle_timeout(cx)).await,
            Input::Told => self.forget_events_of_nobody(),
            Input::Saved(result) => self.saved(result).await,
            Input::Opened(Ok(socket)) => {
                self.connection = Connection::Open(socket);
                self.link(LinkInput::Opened).await;
            }
            Input::Heard(Ok(Heard::Text(text))) => self.link(LinkInput::Text(&text)).await,
            Input::Heard(Ok(Heard::Other)) => self.link(LinkInput::Heard).await,
            Input::Opened(Err(failure)) | Input::Heard(Err(failure)) => self.lost(failure).await,
            Input::Command(command) => {
                self.step(|machine, cx| machine.handle_command(cx, command)).await;
            }
        }
    }

    async fn lost(&mut self, Failure { cause, retry_after }: Failure) {
        self.connection = Connection::None;
        tracing::debug!(%cause, "no connection");
        self.link(LinkInput::Lost { cause, retry_after }).await;
    }

    async fn link(&mut self, input: LinkInput<'_>) {
        self.step(|machine, cx| machine.handle_link(cx, input)).await;
    }

    /// One input to the machine, and everything that it decides.
    async fn step(&mut self, input: impl FnOnce(&mut Machine, &mut Context<'_>)) {
        {
            let mut rng = rand::rng();
            let (now, wall) = (Instant::now(), SystemTime::now());
            input(&mut self.machine, &mut Context { now, wall, rng: &mut rng });
        }
        let mut failed = self.carry_out().await;
        while let Some(Failure { cause, retry_after }) = failed.take() {
            self.connection = Connection::None;
            {
                let mut rng = rand::rng();
                let (now, wall) = (Instant::now(), SystemTime::now());
                let mut cx = Context { now, wall, rng: &mut rng };
                self.machine.handle_link(&mut cx, LinkInput::Lost { cause, retry_after });
            }
            failed = self.carry_out().await;
        }
    }

    /// Carries out the outputs in order; texts are written together. Returns why the connection
    /// is gone, if it is.
    async fn carry_out(&mut self) -> Option<Failure> {
        let mut frames = Vec::new();
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Send(text) => frames.push(Message::text(text)),
                Output::Ping => frames.push(Message::Ping(Default::default())),
                Output::Event(event) => self.tell(event),
                Output::SyncKeys => self.save(),
                Output::Connect => {
                    let connecting = self.connector.clone().connect();
                    self.connection = Connection::Opening(Box::pin(connecting));
                }
                Output::HangUp(code) => {
                    let _ = self.connection.write(&mut frames).await;
                    self.hang_up(code).await;
                }
            }
        }
        self.connection.write(&mut frames).await.err()
    }

    async fn hang_up(&mut self, code: Option<u16>) {
        let before = std::mem::replace(&mut self.connection, Connection::None);
        let (Connection::Open(socket), Some(code)) = (before, code) else { return };
        if self.machine.stopped().is_some() {
            socket.close(code).await;
        } else {
            tokio::spawn(socket.close(code));
        }
    }

    /// Nothing is read from the server while an event waits, so what waits are the events of one
    /// message, those of the application's own requests, and one loss of the connection.
    fn tell(&mut self, event: Event) {
        if let (Some(last @ Event::Disconnected { .. }), Event::Disconnected { .. }) =
            (self.untold.back_mut(), &event)
        {
            *last = event;
            return;
        }
        if !self.untold.is_empty() {
            return self.untold.push_back(event);
        }
        if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
            self.untold.push_back(event);
        }
    }

    /// An application that has dropped the receiver gets no events.
    fn forget_events_of_nobody(&mut self) {
        if self.events.is_closed() {
            self.untold.clear();
        }
    }

    /// Saves the remembered keys on a thread that may wait for the disk: one after the other.
    fn save(&mut self) {
        if self.saving.is_some() {
            self.unsaved = true;
            return;
        }
        self.saving = self.machine.known_keys().unsaved().map(saving);
    }

    async fn saved(&mut self, result: Result<Saved, String>) {
        self.saving = None;
        match result {
            Ok(saved) => self.step(|machine, cx| machine.handle_saved_keys(cx, saved)).await,
            Err(error) => self.tell(Event::KeysNotSaved(error)),
        }
        if std::mem::take(&mut self.unsaved) {
            self.save();
        }
    }

    /// Nothing more is decided; what was is finished.
    async fn finish(mut self) {
        while self.saving.is_some() {
            let result = joined(&mut self.saving).await;
            self.saved(result).await;
        }
        self.commands.close();
        while let Some(command) = self.commands.recv().await {
            self.step(|machine, cx| machine.handle_command(cx, command)).await;
        }
        for event in self.untold {
            if self.events.send(event).await.is_err() {
                return;
            }
        }
    }
}

impl Connection {
    /// Waits until something becomes of it. `opening_only`: nothing is read from it.
    async fn next(&mut self, opening_only: bool) -> Input {
        match self {
            Self::Opening(connecting) => Input::Opened(connecting.await),
            Self::Open(socket) if !opening_only => Input::Heard(socket.next().await),
            Self::Open(_) | Self::None => pending().await,
        }
    }

    async fn write(&mut self, frames: &mut Vec<Message>) -> Result<(), Failure> {
        match self {
            Self::Open(socket) if !frames.is_empty() => socket.send(frames).await,
            _ => {
                frames.clear();
                Ok(())
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

/// Starts a save. One whose disk does not answer goes on by itself, and is not waited for.
fn saving(unsaved: Unsaved) -> Saving {
    let saving = tokio::task::spawn_blocking(move || unsaved.save());
    Box::pin(async {
        match timeout(SAVE_TIMEOUT, saving).await {
            Ok(Ok(saved)) => saved.map_err(|error| error.to_string()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the disk does not answer".to_owned()),
        }
    })
}

/// Waits until a save is done. Never, if no save is under way.
async fn joined(saving: &mut Option<Saving>) -> Result<Saved, String> {
    match saving {
        Some(saving) => saving.await,
        None => pending().await,
    }
}
