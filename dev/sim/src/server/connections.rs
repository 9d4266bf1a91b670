//! Connections: registration, requests, teardown.
//!
//! The results that presence should have are noted here as events. A connection that presence must
//! ignore is passed to it all the same, and that must have no effect.

use std::sync::Arc;
use std::time::Duration;

use securecall_core::{Connection as Protocol, Departure, Step};
use securecall_presence::{Host, OwnedPost};
use securecall_protocol::{
    CallMessage, ClientId, CloseCode, Dialect, Opaque, Registered, Registration, Reply,
    ServerMessage,
};

use super::host::Connection;
use super::{Batch, Cell, Driver, Server, Thread};
use crate::event::Event;
use crate::mutation::Mutation;
use crate::network::LinkId;
use crate::wire::Wire;

/// Longer than any grace.
const LONG: Duration = Duration::from_secs(1_000);
/// The number of timeouts with a late clock that end any session.
const LONG_TIMES: usize = 4;

impl Server {
    pub(crate) fn accept(&mut self, link: LinkId) {
        let protocol = Protocol::new(self.environment.now);
        let driver = Driver {
            connection: Connection::new(link, "(unregistered)"),
            armed: protocol.deadline(&self.environment.config.connection),
            protocol,
            cell: None,
        };
        self.drivers.insert(link, driver);
    }

    /// Notes the answer to a ping.
    pub(crate) fn note_pong(&mut self, link: LinkId) {
        if let Some(driver) = self.drivers.get_mut(&link) {
            driver.protocol.heard(self.environment.now);
        }
    }

    /// Handles a text from a client.
    pub(crate) fn read(&mut self, link: LinkId, text: &str) {
        let Some(driver) = self.drivers.get_mut(&link) else { return };
        driver.protocol.heard(self.environment.now);
        let step = self.environment.with(|cx| driver.protocol.handle_text(cx, text));
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

    /// Ends the driver of a connection that is gone.
    pub(crate) fn tear_down(&mut self, link: LinkId, departure: Departure) {
        self.release(link, departure);
        self.drivers.remove(&link);
    }

    /// Detaches the connection from its client.
    pub(super) fn release(&mut self, link: LinkId, departure: Departure) {
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
        self.input(Thread::Ended, Duration::ZERO, |registry, batch| {
            registry.release(batch, &cell, &connection, departure).into_owned()
        });
        if self.mutation == Mutation::DropSessionsEarly {
            self.drop_session(&cell);
        }
    }

    /// Ends a session as if its client had been away for long, and drops its mail.
    fn drop_session(&mut self, cell: &Arc<Cell>) {
        for _ in 0..LONG_TIMES {
            self.input(Thread::Ended, LONG, |registry, batch| {
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
        if let Some(old) = superseded.filter(|_| self.mutation == Mutation::ShareTheSession) {
            return self.share_session(&client, old, link);
        }
        let token = self.tokens.get(&name).map(String::as_str);
        let registration = self.mutation.mutate_registration(registration, token);
        let mut registered = None;
        self.input(Thread::Driver(link), Duration::ZERO, |registry, batch| {
            let (cell, post) = registry.register(batch, &connection, &registration, request_id);
            registered = Some(cell);
            post.into_owned()
        });
        if let Some(driver) = self.drivers.get_mut(&link) {
            driver.cell = registered;
        }
        self.host.deadline_moved(&connection);
        self.note_registered(link, &name);
        self.host.push(Event::Handled);
    }

    /// Notes the token in a REGISTERED.
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

    /// Attaches the new connection to the session of the old one, as the fault demands.
    fn share_session(&mut self, client: &ClientId, old: LinkId, link: LinkId) {
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
        self.host.push(Event::Handled);
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
        let mut is_served = self.is_attached(link, &cell);
        if self.mutation == Mutation::ServeSuperseded {
            let attached = self.attached.get(cell.client_id());
            if let Some(driver) = attached.and_then(|link| self.drivers.get(link)) {
                (connection, is_served) = (driver.connection.clone(), true);
            }
        }
        if is_served {
            let client = cell.client_id().as_str().to_string();
            let born = self.environment.unix().max(self.started);
            self.host.push(Event::Requested { link, client, text: text.to_string(), born });
        }
        self.input(Thread::Driver(link), Duration::ZERO, |registry, batch| {
            registry.handle_message(batch, &cell, &connection, message, request_id).into_owned()
        });
        if is_served {
            self.host.push(Event::Handled);
        }
    }

    /// Returns true if the connection is the client's, as seen from outside.
    pub(super) fn is_attached(&self, link: LinkId, cell: &Arc<Cell>) -> bool {
        self.attached.get(cell.client_id()) == Some(&link)
    }

    /// Sends an answer of the connection itself; the session adds only the number.
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
        self.environment.with(|cx| act(&Batch::begin(&self.host, *cx)))
    }
}
