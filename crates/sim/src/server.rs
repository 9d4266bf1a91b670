//! The shell: what the real server does around the core, without sockets and threads.
//!
//! Connections are read by drivers; a driver that has mail under way reads no further, as a task
//! that delivers does not. Between any two steps of one driver, all the others may do anything.

use std::collections::BTreeMap;

use securecall_core::{
    Connection, Departure, Due, Instant, Outcome, Output, Outputs, Session, Step, UnixTime,
};
use securecall_protocol::{CallMessage, ClientId, CloseCode, Opaque, Reply, ServerMessage};

use crate::event::Event;
use crate::letter::{Letter, Post};
use crate::mutation::Mutation;
use crate::nature::{Nature, call_id_key};
use crate::network::LinkId;
use crate::random::Random;

/// One server process after the other.
pub(crate) struct Server {
    pub(crate) nature: Nature,
    started: UnixTime,
    cells: BTreeMap<ClientId, Cell>,
    drivers: BTreeMap<LinkId, Driver>,
    post: Post,
    events: Vec<Event>,
    sessions_ever: u64,
    mutation: Mutation,
}

/// One client id's place.
struct Cell {
    session: Session,
    serial: u64,
    attached: Option<LinkId>,
}

/// What looks after a connection.
struct Driver {
    connection: Connection,
    client: Option<ClientId>,
    /// Letters that it has sent and that are not dealt with.
    under_way: usize,
    closing: bool,
}

/// A deadline that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Timer {
    Session(ClientId),
    Connection(LinkId),
}

impl Server {
    pub(crate) fn start(nature: Nature, mutation: Mutation) -> Self {
        let started = nature.unix();
        Self {
            nature,
            started,
            cells: BTreeMap::new(),
            drivers: BTreeMap::new(),
            post: Post::default(),
            events: Vec::new(),
            sessions_ever: 0,
            mutation,
        }
    }

    /// kill -9, and a new process a moment later.
    pub(crate) fn restart(&mut self) {
        self.cells.clear();
        self.drivers.clear();
        self.post = Post::default();
        self.nature.pass(std::time::Duration::from_millis(1));
        self.started = self.nature.unix();
        self.nature.pass(std::time::Duration::from_millis(1));
        if self.mutation == Mutation::LoseTheKey {
            self.nature.config.call_ids = call_id_key(8);
        }
        self.events.push(Event::Restarted);
    }

    /// What happened since it was asked last.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.cells.values().map(|cell| &cell.session)
    }

    /// Whether a client's session has a record of a call.
    pub(crate) fn has_record(&self, client: &str, call: &str) -> bool {
        self.cells.get(client).is_some_and(|cell| cell.session.call_ids().any(|id| id == call))
    }

    /// Whether nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.post.is_empty()
    }

    /// Whether the connection's driver would read a frame now.
    pub(crate) fn is_reading(&self, link: LinkId) -> bool {
        self.drivers.get(&link).is_some_and(|driver| driver.under_way == 0 && !driver.closing)
    }

    /// Whether the connection is to be torn down.
    pub(crate) fn is_closing(&self, link: LinkId) -> bool {
        self.drivers.get(&link).is_none_or(|driver| driver.under_way == 0 && driver.closing)
    }

    pub(crate) fn accept(&mut self, link: LinkId) {
        let connection = Connection::new(self.nature.now);
        let driver = Driver { connection, client: None, under_way: 0, closing: false };
        self.drivers.insert(link, driver);
    }

    /// A ping was answered.
    pub(crate) fn hear(&mut self, link: LinkId) {
        if let Some(driver) = self.drivers.get_mut(&link) {
            driver.connection.heard(self.nature.now);
        }
    }

    /// A text has come.
    pub(crate) fn read(&mut self, link: LinkId, text: &str) {
        let Some(driver) = self.drivers.get_mut(&link) else { return };
        driver.connection.heard(self.nature.now);
        let step = self.nature.with(|cx| driver.connection.handle_text(cx, text));
        match step {
            Step::Reply(reply) => self.reply(link, &reply),
            Step::Register { client_id, request_id } => self.register(link, client_id, request_id),
            Step::Call { message, request_id } => self.ask(link, text, message, request_id),
            // The directory has tests of its own.
            Step::PkdRegister { .. } | Step::PkdLookup { .. } => {}
        }
    }

    /// Begins to close a connection.
    pub(crate) fn close(&mut self, link: LinkId, code: CloseCode) {
        if let Some(driver) = self.drivers.get_mut(&link).filter(|driver| !driver.closing) {
            driver.closing = true;
            self.events.push(Event::Closed { link, code: code.code() });
        }
    }

    /// The connection is gone; its driver ends.
    pub(crate) fn tear_down(&mut self, link: LinkId, departure: Departure) {
        let Some(client) = self.drivers.remove(&link).and_then(|driver| driver.client) else {
            return;
        };
        let Some(cell) = self.cells.get_mut(&client) else { return };
        let concerns_it = match self.mutation {
            Mutation::TearDownSuccessor => cell.attached.is_some(),
            _ => cell.attached == Some(link),
        };
        if !concerns_it {
            return;
        }
        let departure = match self.mutation {
            Mutation::TakeLossForLeaving => Departure::Left,
            Mutation::TakeLeavingForLoss => Departure::Lost,
            _ => departure,
        };
        cell.attached = None;
        self.events.push(Event::Detached { client: client.as_str().to_string(), departure });
        let outputs = self.nature.with(|cx| cell.session.detach(cx, departure));
        self.carry_out(&client, None, outputs);
        self.drop_if_over(&client);
    }

    /// The deadlines that have come.
    pub(crate) fn due(&self) -> Vec<Timer> {
        let now = self.nature.now;
        let sessions = self.cells.iter().filter(|(_, cell)| self.is_due(cell, now));
        let limits = &self.nature.config.connection;
        let drivers = self.drivers.iter().filter(|(_, driver)| {
            !driver.closing && driver.under_way == 0 && driver.connection.deadline(limits) <= now
        });
        let sessions = sessions.map(|(client, _)| Timer::Session(client.clone()));
        sessions.chain(drivers.map(|(link, _)| Timer::Connection(*link))).collect()
    }

    /// The next deadline.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let sessions = self.cells.values().filter_map(|cell| cell.session.deadline());
        let limits = &self.nature.config.connection;
        let open = self.drivers.values().filter(|driver| !driver.closing);
        sessions.chain(open.map(|driver| driver.connection.deadline(limits))).min()
    }

    /// A deadline that has come is dealt with. Returns a connection that is to be pinged.
    pub(crate) fn fire(&mut self, timer: Timer) -> Option<LinkId> {
        match timer {
            Timer::Session(client) => {
                self.fire_session(&client);
                None
            }
            Timer::Connection(link) => self.fire_connection(link),
        }
    }

    /// The next letter of some route reaches its session.
    pub(crate) fn deliver(&mut self, random: &mut Random) -> bool {
        let Some(letter) = self.post.take_letter(random) else { return false };
        self.deliver_letter(letter, random);
        true
    }

    /// A session learns what became of a letter.
    pub(crate) fn tell_outcome(&mut self, random: &mut Random) -> bool {
        let Some((letter, outcome)) = self.post.take_outcome(random) else { return false };
        self.done_with(&letter);
        let cell = self.cells.get_mut(&letter.from).filter(|cell| cell.serial == letter.sender);
        if let (Some(cell), Some(mail)) = (cell, letter.mail()) {
            let told = self
                .nature
                .with(|cx| cell.session.handle_outcome(cx, mail, outcome, letter.request_id()));
            let told: Outputs<'_> = told.into_iter().collect();
            self.carry_out(&letter.from, None, told);
        }
        true
    }
}

impl Server {
    fn register(&mut self, link: LinkId, client: ClientId, request_id: Option<Opaque<'_>>) {
        let Some(driver) = self.drivers.get_mut(&link) else { return };
        if driver.client.is_some() {
            let message = ServerMessage::Registered { client_id: client };
            return self.reply(link, &Reply { message, reply_to: request_id });
        }
        driver.connection.registered(client.clone());
        driver.client = Some(client.clone());
        let superseded = self.cell_of(&client).attached.replace(link);
        self.events.push(Event::Attached { link, client: client.as_str().to_string() });
        let Some(cell) = self.cells.get_mut(&client) else { return };
        let trusted = self.mutation == Mutation::TrustTheSuccessor && superseded.is_some();
        let outputs = if trusted {
            let message = ServerMessage::Registered { client_id: client.clone() };
            Outputs::from_iter([Output::Send(message.into())])
        } else {
            self.nature.with(|cx| cell.session.attach(cx, request_id))
        };
        self.carry_out(&client, Some(link), outputs);
        if let Some(old) = superseded {
            self.close(old, CloseCode::Superseded);
        }
    }

    fn cell_of(&mut self, client: &ClientId) -> &mut Cell {
        let (nature, sessions_ever) = (&self.nature, &mut self.sessions_ever);
        let knows_since = match self.mutation {
            Mutation::ForgetWhatWas => nature.unix(),
            _ => self.started,
        };
        self.cells.entry(client.clone()).or_insert_with(|| {
            *sessions_ever += 1;
            let session = nature.with(|cx| Session::new(client.clone(), knows_since, cx));
            Cell { session, serial: *sessions_ever, attached: None }
        })
    }

    fn ask<'m>(
        &mut self,
        link: LinkId,
        text: &str,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) {
        let client = self.drivers.get(&link).and_then(|driver| driver.client.clone());
        let Some(client) = client else { return };
        let Some(cell) = self.cells.get_mut(&client) else { return };
        if cell.attached != Some(link) && self.mutation != Mutation::HearTheSuperseded {
            return;
        }
        self.events.push(Event::Asked {
            link,
            client: client.as_str().to_string(),
            text: text.to_string(),
        });
        let outputs = self.nature.with(|cx| cell.session.handle_message(cx, message, request_id));
        self.carry_out(&client, Some(link), outputs);
        self.events.push(Event::Answered);
    }

    fn fire_session(&mut self, client: &ClientId) {
        let Some(cell) = self.cells.get_mut(client) else { return };
        self.events.push(Event::TimedOut { client: client.as_str().to_string() });
        let outputs = self.nature.with(|cx| cell.session.handle_timeout(cx));
        self.carry_out(client, None, outputs);
        self.drop_if_over(client);
    }

    fn fire_connection(&mut self, link: LinkId) -> Option<LinkId> {
        let driver = self.drivers.get_mut(&link)?;
        match self.nature.with(|cx| driver.connection.handle_timeout(cx)) {
            Due::Nothing => None,
            Due::Ping => Some(link),
            Due::Close(code) => {
                self.close(link, code);
                None
            }
        }
    }

    fn is_due(&self, cell: &Cell, now: Instant) -> bool {
        let mutated_now = match self.mutation {
            Mutation::ForgetDeadlines if cell.attached.is_some() => return false,
            Mutation::KeepSessions if cell.session.is_over() => return false,
            Mutation::HurryDeadlines => now + std::time::Duration::from_secs(1),
            _ => now,
        };
        cell.session.deadline().is_some_and(|deadline| deadline <= mutated_now)
    }

    /// Its driver may read on.
    fn done_with(&mut self, letter: &Letter) {
        if let Some(driver) = letter.driver.and_then(|link| self.drivers.get_mut(&link)) {
            driver.under_way = driver.under_way.saturating_sub(1);
        }
    }

    fn deliver_letter(&mut self, letter: Letter, random: &mut Random) {
        let letter = match self.mutation {
            Mutation::RewordOpaque => letter.reworded(),
            Mutation::DeliverTwice if random.percent(20) => {
                self.receive(&letter);
                letter
            }
            Mutation::DeliverOutOfOrder if random.percent(20) => {
                return self.post.send(letter);
            }
            Mutation::DropEnds if letter.is_end() && random.percent(20) => {
                return self.done_with(&letter);
            }
            Mutation::DeliverToSomebodyElse if random.percent(10) => {
                let cells: Vec<&ClientId> = self.cells.keys().collect();
                let to = random.pick(&cells).map_or(letter.to.clone(), |to| (*to).clone());
                letter.redirected(to)
            }
            _ => letter,
        };
        let outcome = self.receive(&letter);
        self.events.push(Event::Delivered { letter: letter.to_string(), outcome });
        match outcome {
            Outcome::Delivered => self.done_with(&letter),
            _ if self.mutation == Mutation::SwallowOutcomes => self.done_with(&letter),
            outcome => self.post.report(letter, outcome),
        }
    }

    fn receive(&mut self, letter: &Letter) -> Outcome {
        let Some(mail) = letter.mail() else { return Outcome::NoSuchCall };
        if !self.cells.contains_key(&letter.to) && !self.expect(letter) {
            return Outcome::Offline;
        }
        let Some(cell) = self.cells.get_mut(&letter.to) else { return Outcome::Offline };
        let receipt = self.nature.with(|cx| cell.session.handle_mail(cx, &letter.from, &mail));
        self.carry_out(&letter.to, None, receipt.outputs);
        receipt.outcome
    }

    /// Makes a place for a client that a restart has cut off, if the mail proves that there was a
    /// call.
    fn expect(&mut self, letter: &Letter) -> bool {
        if letter.is_ring() || self.mutation == Mutation::ExpectNobody {
            return false;
        }
        let Some(mail) = letter.mail() else { return false };
        let expected =
            || self.nature.with(|cx| Session::expected(letter.to.clone(), self.started, cx));
        let receipt = self.nature.with(|cx| expected().handle_mail(cx, &letter.from, &mail));
        if receipt.outcome != Outcome::Delivered {
            return false;
        }
        self.sessions_ever += 1;
        let cell = Cell { session: expected(), serial: self.sessions_ever, attached: None };
        self.cells.insert(letter.to.clone(), cell);
        true
    }

    /// Does what a session wants done. `driver` waits for the letters among it.
    fn carry_out(&mut self, client: &ClientId, driver: Option<LinkId>, outputs: Outputs<'_>) {
        for output in outputs {
            match output {
                Output::Send(reply) => {
                    let mut text = String::new();
                    reply.encode(&mut text);
                    self.send(client, text);
                }
                Output::SendText(text) => self.send(client, text.into()),
                Output::Mail { to, mail, request_id } => {
                    let sender = self.cells.get(client).map_or(0, |cell| cell.serial);
                    let from = (client.clone(), sender);
                    self.post_letter(Letter::new(from, to, &mail, request_id, driver));
                }
            }
        }
    }

    fn send(&mut self, client: &ClientId, text: String) {
        let attached = self.cells.get(client).and_then(|cell| cell.attached);
        let client = client.as_str().to_string();
        self.events.push(match attached {
            Some(link) => Event::Sent { link, client, text },
            None => Event::SentToNobody { client, text },
        });
    }

    fn post_letter(&mut self, letter: Letter) {
        if letter.is_ring() {
            self.events.push(Event::Rang { call: letter.call_id().to_string() });
        }
        if let Some(driver) = letter.driver.and_then(|link| self.drivers.get_mut(&link)) {
            driver.under_way += 1;
        }
        self.post.send(letter);
    }

    /// An answer of the connection itself: the session has no part in it.
    fn reply(&mut self, link: LinkId, reply: &Reply<'_>) {
        let client = self.drivers.get(&link).and_then(|driver| driver.client.as_ref());
        let client =
            client.map_or("(unregistered)".to_string(), |client| client.as_str().to_string());
        let mut text = String::new();
        reply.encode(&mut text);
        self.events.push(Event::Sent { link, client, text });
    }

    fn drop_if_over(&mut self, client: &ClientId) {
        let early = self.mutation == Mutation::DropSessionsEarly;
        let over = self
            .cells
            .get(client)
            .is_some_and(|cell| cell.attached.is_none() && (cell.session.is_over() || early));
        if over && self.mutation != Mutation::KeepSessions {
            self.cells.remove(client);
            self.events.push(Event::Forgotten { client: client.as_str().to_string() });
        }
    }
}
