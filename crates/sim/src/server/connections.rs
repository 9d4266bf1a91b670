//! Connections: who they are, what they say, how they end.

use securecall_core::{Connection, Departure, Output, Outputs, Session, Step};
use securecall_protocol::{
    CallMessage, ClientId, CloseCode, Dialect, Opaque, Registration, Reply, ServerMessage,
};

use super::{Cell, Driver, Server};
use crate::event::Event;
use crate::mutation::Mutation;
use crate::network::LinkId;

impl Server {
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
            Step::Reply(reply) => self.reply(link, reply),
            Step::Register { registration, request_id } => {
                self.register(link, text, &registration, request_id);
            }
            Step::Ack { seq } => self.acknowledge(link, seq),
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
        cell.attached = None;
        self.events.push(Event::Detached { link, client: client.as_str().to_string(), departure });
        let departure = match self.mutation {
            Mutation::TakeLossForLeaving => Departure::Left,
            Mutation::TakeLeavingForLoss => Departure::Lost,
            _ => departure,
        };
        let outputs = self.nature.with(|cx| cell.session.detach(cx, departure));
        self.carry_out(&client, None, outputs);
        self.drop_if_over(&client);
    }

    fn register(
        &mut self,
        link: LinkId,
        text: &str,
        registration: &Registration<'_>,
        request_id: Option<Opaque<'_>>,
    ) {
        let Some(driver) = self.drivers.get_mut(&link) else { return };
        if driver.client.is_some() {
            return self.reaffirm(link, request_id);
        }
        let client = registration.client_id.clone();
        driver.connection.registered(client.clone(), registration.dialect);
        driver.client = Some(client.clone());
        let superseded = self.cell_of(&client).attached.replace(link);
        self.events.push(Event::Attached {
            link,
            client: client.as_str().to_string(),
            text: text.to_string(),
        });
        let outputs = self.attach(&client, registration, request_id, superseded.is_some());
        self.carry_out(&client, Some(link), outputs);
        self.events.push(Event::Answered);
        if let Some(old) = superseded.filter(|_| self.mutation != Mutation::HearTheSuperseded) {
            self.close(old, CloseCode::Superseded);
        }
    }

    fn attach<'m>(
        &mut self,
        client: &ClientId,
        registration: &Registration<'m>,
        request_id: Option<Opaque<'m>>,
        supersedes: bool,
    ) -> Outputs<'m> {
        let Some(cell) = self.cells.get_mut(client) else { return Outputs::new() };
        let registration = self.mutation.mutate_registration(registration, cell.token.as_deref());
        if self.mutation == Mutation::TrustTheSuccessor && supersedes {
            return self.mutation.trusting_attachment(client);
        }
        let outputs = self.nature.with(|cx| cell.session.attach(cx, &registration, request_id));
        cell.token = token_of(&outputs).or(cell.token.take());
        self.mutation.mutate_attachment(outputs)
    }

    /// The connection says REGISTER once more.
    fn reaffirm(&mut self, link: LinkId, request_id: Option<Opaque<'_>>) {
        let Some(client) = self.client_of(link) else { return };
        let Some(cell) = self.cells.get_mut(&client).filter(|cell| cell.attached == Some(link))
        else {
            return;
        };
        let outputs = self.nature.with(|cx| cell.session.reaffirm(cx, request_id));
        self.carry_out(&client, None, outputs.into_iter().collect());
    }

    fn acknowledge(&mut self, link: LinkId, seq: u64) {
        let Some(client) = self.client_of(link) else { return };
        let Some(cell) = self.cells.get_mut(&client).filter(|cell| cell.attached == Some(link))
        else {
            return;
        };
        let too_much = u64::from(self.mutation == Mutation::AcknowledgeTooMuch);
        cell.session.acknowledge(seq.saturating_add(too_much));
        let client = client.as_str().to_string();
        self.events.push(Event::Acknowledged { client, seq });
    }

    fn client_of(&self, link: LinkId) -> Option<ClientId> {
        self.drivers.get(&link).and_then(|driver| driver.client.clone())
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
            Cell { session, serial: *sessions_ever, attached: None, token: None }
        })
    }

    fn ask<'m>(
        &mut self,
        link: LinkId,
        text: &str,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) {
        let Some(client) = self.client_of(link) else { return };
        let Some(cell) = self.cells.get_mut(&client) else { return };
        if cell.attached != Some(link) && self.mutation != Mutation::HearTheSuperseded {
            return;
        }
        self.events.push(Event::Asked {
            link,
            client: client.as_str().to_string(),
            text: text.to_string(),
            born: self.nature.unix().max(self.started),
        });
        let outputs = self.nature.with(|cx| cell.session.handle_message(cx, message, request_id));
        self.carry_out(&client, Some(link), outputs);
        self.events.push(Event::Answered);
    }

    /// An answer of the connection itself: the session has no part in it but its number.
    fn reply(&mut self, link: LinkId, reply: Reply<'_>) {
        let client = self.client_of(link);
        let in_two = self
            .drivers
            .get(&link)
            .is_some_and(|driver| driver.connection.dialect() == Dialect::Two);
        if let Some(client) = client.as_ref().filter(|_| in_two) {
            let Some(cell) = self.cells.get_mut(client).filter(|cell| cell.attached == Some(link))
            else {
                return;
            };
            let Reply { message, reply_to, .. } = reply;
            let outputs = self.nature.with(|cx| cell.session.reply(cx, message, reply_to));
            return self.carry_out(client, None, outputs.into_iter().collect());
        }
        let client = client.map_or("(unregistered)".into(), |client| client.as_str().to_string());
        let mut text = String::new();
        reply.encode(&mut text);
        self.events.push(Event::Sent { link, client, text });
    }
}

/// The token in a REGISTERED.
fn token_of(outputs: &Outputs<'_>) -> Option<String> {
    let Some(Output::Send(reply)) = outputs.first() else { return None };
    let ServerMessage::Registered(registered) = &reply.message else { return None };
    registered.resumption.as_ref().map(|resumption| resumption.resume_token.to_string())
}
