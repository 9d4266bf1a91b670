//! Connections: who they are, what they say, how they end.
//!
//! What presence should make of them is noted here beside it, as events: a connection that presence
//! must not listen to is given to it all the same, and nothing may come of that.

use std::sync::Arc;
use std::time::Duration;

use securecall_core::{Connection as Protocol, Departure, Step};
use securecall_presence::{Host, OwnedPost};
use securecall_protocol::{
    CallMessage, ClientId, CloseCode, Dialect, Opaque, Registered, Registration, Reply,
    ServerMessage,
};

use super::host::Connection;
use super::{Batch, Cell, Driver, Owner, Server};
use crate::event::Event;
use crate::mutation::Mutation;
use crate::network::LinkId;
use crate::wire::Wire;

/// Longer than any grace.
const LONG: Duration = Duration::from_secs(1_000);
/// How often a session is told of a long time until it is over.
const LONG_TIMES: usize = 4;

impl Server {
    pub(crate) fn accept(&mut self, link: LinkId) {
        let protocol = Protocol::new(self.nature.now);
        let driver = Driver {
            connection: Connection::new(link, "(unregistered)"),
            armed: protocol.deadline(&self.nature.config.connection),
            protocol,
            cell: None,
        };
        self.drivers.insert(link, driver);
    }

    /// A ping was answered.
    pub(crate) fn hear(&mut self, link: LinkId) {
        if let Some(driver) = self.drivers.get_mut(&link) {
            driver.protocol.heard(self.nature.now);
        }
    }

    /// A text has come.
    pub(crate) fn read(&mut self, link: LinkId, text: &str) {
        let Some(driver) = self.drivers.get_mut(&link) else { return };
        driver.protocol.heard(self.nature.now);
        let step = self.nature.with(|cx| driver.protocol.handle_text(cx, text));
        let behind = driver.cell.clone().map(|cell| (cell, driver.connection.clone()));
        match (step, behind) {
            (Step::Reply(reply), _) => self.reply(link, reply),
            (Step::Register { request_id, .. }, Some((cell, connection))) => {
                self.with_batch(|batch| cell.reaffirm(batch, &connection, request_id));
            }
            (Step::Register { registration, request_id }, None) => {
                self.register(link, text, &registration, request_id);
            }
            (Step::Ack { seq }, Some((cell, connection))) => {
                self.acknowledge(link, &cell, &connection, seq);
            }
            (Step::Call { message, request_id }, Some((cell, connection))) => {
                self.ask(link, text, (cell, connection), message, request_id);
            }
            // The directory has tests of its own.
            _ => {}
        }
    }

    /// Begins to close a connection.
    pub(crate) fn close(&mut self, link: LinkId, code: CloseCode) {
        if let Some(driver) = self.drivers.get(&link) {
            self.host.close(&driver.connection, code);
        }
    }

    /// The connection is gone; its driver ends.
    pub(crate) fn tear_down(&mut self, link: LinkId, departure: Departure) {
        self.say_goodbye(link, departure);
        self.drivers.remove(&link);
    }

    /// From here on the connection has no client.
    pub(super) fn say_goodbye(&mut self, link: LinkId, departure: Departure) {
        let Some(driver) = self.drivers.get_mut(&link) else { return };
        let Some(cell) = driver.cell.take() else { return };
        let mut connection = driver.connection.clone();
        let attached = self.attached.get(cell.client_id()).copied();
        let mut concerns_it = attached == Some(link);
        if self.mutation == Mutation::TearDownSuccessor {
            let successor = attached.and_then(|attached| self.drivers.get(&attached));
            concerns_it |= successor.is_some();
            connection = successor.map_or(connection, |driver| driver.connection.clone());
        }
        if concerns_it {
            self.attached.remove(cell.client_id());
            let client = cell.client_id().as_str().to_string();
            self.host.push(Event::Detached { link, client, departure });
        }
        let departure = match self.mutation {
            Mutation::TakeLossForLeaving => Departure::Left,
            Mutation::TakeLeavingForLoss => Departure::Lost,
            _ => departure,
        };
        self.input(Owner::Nobody, Duration::ZERO, |registry, batch| {
            registry.release(batch, &cell, &connection, departure).into_owned()
        });
        if self.mutation == Mutation::DropSessionsEarly {
            self.drop_session(&cell);
        }
    }

    /// Has a session end as if its client had been away for long, and loses its mail.
    fn drop_session(&mut self, cell: &Arc<Cell>) {
        for _ in 0..LONG_TIMES {
            self.input(Owner::Nobody, LONG, |registry, batch| {
                drop(registry.handle_absence(batch, cell));
                OwnedPost::default()
            });
        }
    }

    fn register(
        &mut self,
        link: LinkId,
        text: &str,
        registration: &Registration<'_>,
        request_id: Option<Opaque<'_>>,
    ) {
        let Some(driver) = self.drivers.get_mut(&link) else { return };
        let client = registration.client_id.clone();
        driver.protocol.registered(client.clone(), registration.dialect);
        driver.connection = Connection::new(link, client.as_str());
        let connection = driver.connection.clone();
        let superseded = self.attached.insert(client.clone(), link);
        let name = client.as_str().to_string();
        self.host.push(Event::Attached { link, client: name.clone(), text: text.to_string() });
        if let Some(old) = superseded.filter(|_| self.mutation == Mutation::TrustTheSuccessor) {
            return self.trust_successor(&client, old, link);
        }
        let token = self.tokens.get(&name).map(String::as_str);
        let registration = self.mutation.mutate_registration(registration, token);
        let mut registered = None;
        self.input(Owner::Driver(link), Duration::ZERO, |registry, batch| {
            let (cell, post) = registry.register(batch, &connection, &registration, request_id);
            registered = Some(cell);
            post.into_owned()
        });
        if let Some(driver) = self.drivers.get_mut(&link) {
            driver.cell = registered;
        }
        self.host.deadline_moved(&connection);
        self.note_registered(link, &name);
        self.host.push(Event::Answered);
    }

    /// Takes note of the token in a REGISTERED.
    fn note_registered(&mut self, link: LinkId, client: &str) {
        let events = self.mutation.mutate_attachment(link, self.host.take_events());
        for event in events {
            if let Event::Sent { link: sent, text, .. } = &event
                && *sent == link
                && let Some(message) = Wire::read(text)
                && !message.text("resumeToken").is_empty()
            {
                self.tokens.insert(client.to_string(), message.text("resumeToken").to_string());
            }
            self.host.push(event);
        }
    }

    /// The session is not told that another connection has its client now.
    fn trust_successor(&mut self, client: &ClientId, old: LinkId, link: LinkId) {
        let fresh = Connection::new(old, client.as_str());
        let Some(driver) = self.drivers.get_mut(&old) else { return };
        let connection = std::mem::replace(&mut driver.connection, fresh.clone());
        let cell = driver.cell.take();
        connection.become_link(link);
        self.host.close(&fresh, CloseCode::Superseded);
        let registered = Registered { client_id: client.clone(), resumption: None };
        self.host.send(&connection, &ServerMessage::Registered(registered).into());
        if let Some(driver) = self.drivers.get_mut(&link) {
            (driver.connection, driver.cell) = (connection, cell);
        }
        self.host.push(Event::Answered);
    }

    fn acknowledge(
        &mut self,
        link: LinkId,
        cell: &Arc<Cell>,
        connection: &Arc<Connection>,
        seq: u64,
    ) {
        let too_much = u64::from(self.mutation == Mutation::AcknowledgeTooMuch);
        cell.acknowledge(connection, seq.saturating_add(too_much));
        if self.is_attached(link, cell) {
            let client = cell.client_id().as_str().to_string();
            self.host.push(Event::Acknowledged { client, seq });
        }
    }

    fn ask(
        &mut self,
        link: LinkId,
        text: &str,
        (cell, mut connection): (Arc<Cell>, Arc<Connection>),
        message: CallMessage<'_>,
        request_id: Option<Opaque<'_>>,
    ) {
        let mut heard = self.is_attached(link, &cell);
        if self.mutation == Mutation::HearTheSuperseded {
            let attached = self.attached.get(cell.client_id());
            if let Some(driver) = attached.and_then(|link| self.drivers.get(link)) {
                (connection, heard) = (driver.connection.clone(), true);
            }
        }
        if heard {
            let client = cell.client_id().as_str().to_string();
            let born = self.nature.unix().max(self.started);
            self.host.push(Event::Asked { link, client, text: text.to_string(), born });
        }
        self.input(Owner::Driver(link), Duration::ZERO, |registry, batch| {
            registry.handle_message(batch, &cell, &connection, message, request_id).into_owned()
        });
        if heard {
            self.host.push(Event::Answered);
        }
    }

    /// Whether the connection is the client's, as far as anybody outside can tell.
    pub(super) fn is_attached(&self, link: LinkId, cell: &Arc<Cell>) -> bool {
        self.attached.get(cell.client_id()) == Some(&link)
    }

    /// An answer of the connection itself: the session has no part in it but its number.
    fn reply(&mut self, link: LinkId, reply: Reply<'_>) {
        let Some(driver) = self.drivers.get(&link) else { return };
        match &driver.cell {
            Some(cell) if driver.protocol.dialect() == Dialect::Two => {
                let Reply { message, reply_to, .. } = reply;
                self.with_batch(|batch| cell.reply(batch, &driver.connection, message, reply_to));
            }
            _ => self.host.send(&driver.connection, &reply),
        }
    }

    fn with_batch<R>(&self, act: impl FnOnce(&Batch<'_>) -> R) -> R {
        self.nature.with(|cx| act(&Batch::begin(&self.host, *cx)))
    }
}
