//! The world: clients, connections, the server, and the model that watches it.

use std::time::Duration;

use securecall_core::{Departure, Parties};
use securecall_protocol::{ClientId, CloseCode};

use crate::checks;
use crate::client::{Behaviour, Client, ClientAction, Knowledge};
use crate::environment::{Environment, call_id_key};
use crate::event::Event;
use crate::model::Model;
use crate::mutation::Mutation;
use crate::network::{Frame, LinkId, Network};
use crate::random::Random;
use crate::scenario::{Action, Scenario};
use crate::server::Server;
use crate::trace::Trace;
use crate::violation::{Violation, ensure};

/// The number of leaked call ids in circulation. A session remembers more ended calls than that.
const LEAKS_MAX: usize = 24;
/// The bound of steps after which all mail must have arrived.
const QUIESCENCE_STEPS_MAX: usize = 100_000;

/// One run.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) random: Random,
    pub(crate) server: Server,
    pub(crate) network: Network,
    pub(crate) clients: Vec<Client>,
    pub(crate) model: Model,
    pub(crate) comparisons: usize,
    ids: Vec<String>,
    leaks: Vec<String>,
    trace: Trace,
}

impl World {
    pub(crate) fn new(seed: u64, mutation: Mutation, trace: Trace) -> Self {
        let mut random = Random::new(seed);
        let scenario = Scenario::draw(&mut random);
        let clients = population(&scenario, &mut random);
        let ids: Vec<String> = clients
            .iter()
            .filter(|client| client.behaviour != Behaviour::Impostor)
            .map(|client| client.id.clone())
            .collect();
        let environment = Environment::new(scenario.calls);
        let world = Self {
            random,
            server: Server::start(environment, mutation),
            network: Network::default(),
            clients,
            model: Model::new(scenario.calls),
            comparisons: 0,
            leaks: foreign_call_ids(&ids),
            ids,
            trace,
            scenario,
        };
        trace.note(world.server.environment.now, format_args!("{:?}", world.scenario));
        world
    }

    /// Takes one step, chosen by the seed.
    pub(crate) fn step(&mut self) -> Result<(), Violation> {
        match Action::ALL[self.random.weighted(&self.scenario.weights)] {
            Action::Act => self.act(),
            Action::ReadAtServer => self.read_at_some_server_end(),
            Action::ReadAtClient => self.read_at_some_client(),
            Action::Deliver => _ = self.server.deliver(&mut self.random),
            Action::DeliverOutcome => _ = self.server.deliver_outcome(&mut self.random),
            Action::Fire => self.fire(),
            Action::NoticeAtServer => self.notice_at_server(),
            Action::NoticeAtClient => self.notice_at_client(),
            Action::Cut => self.cut(),
            Action::PassMoment => self.pass_moment(),
            Action::PassLong => self.pass_long()?,
            Action::Restart => self.restart(),
            Action::SetClock => self.set_clock(),
        }
        self.absorb()
    }

    /// Passes the events at the server to the model and the network.
    pub(crate) fn absorb(&mut self) -> Result<(), Violation> {
        for event in self.server.take_events() {
            self.trace.note(self.server.environment.now, &event);
            self.model.watch(self.server.environment.now, &event)?;
            match event {
                Event::Sent { link, text, .. } => self.send_to_client(link, text),
                Event::Closed { link, code } => {
                    self.network.send_to_client(link, Frame::Close(code));
                }
                Event::Rang { call } => self.leak(call),
                _ => {}
            }
        }
        checks::check_bounds(&self.server, &self.scenario.calls)?;
        checks::check_clients(&mut self.clients)?;
        if self.server.is_quiet() && self.server.due().is_empty() {
            let server = &self.server;
            self.model.check_quiescence(server.environment.now, |client, call| {
                server.has_record(client, call)
            })?;
            self.comparisons += 1;
        }
        Ok(())
    }

    /// Runs until no mail is in flight and no timer is due.
    pub(crate) fn run_to_quiescence(&mut self) -> Result<(), Violation> {
        for _ in 0..QUIESCENCE_STEPS_MAX {
            let due = self.server.due();
            if self.server.is_quiet() && due.is_empty() {
                return self.absorb();
            }
            match self.random.below(3) {
                0 => _ = self.server.deliver(&mut self.random),
                1 => _ = self.server.deliver_outcome(&mut self.random),
                _ => self.fire(),
            }
            self.absorb()?;
        }
        ensure!(false, "the server does not come to rest");
        Ok(())
    }

    /// Opens a connection for a client, and sends this REGISTER.
    pub(crate) fn connect(&mut self, client: usize, register: String) {
        let link = self.network.open();
        self.server.accept(link);
        self.clients[client].link = Some(link);
        self.send(client, register);
    }

    pub(crate) fn send(&mut self, client: usize, text: String) {
        if let Some(link) = self.clients[client].link {
            self.network.send_to_server(link, Frame::Text(text));
        }
    }

    /// Closes a client's connection with 1000.
    pub(crate) fn leave(&mut self, client: usize) {
        if let Some(link) = self.clients[client].link.take() {
            self.network.send_to_server(link, Frame::Close(1000));
            self.network.close_at_client(link);
        }
    }

    /// Cuts a client's connection.
    pub(crate) fn vanish(&mut self, client: usize) {
        if let Some(link) = self.clients[client].link {
            self.network.cut(link);
            self.lose(client);
        }
    }

    /// Reads one frame at the server. Returns true if there was one.
    pub(crate) fn read_at_server(&mut self, link: LinkId) -> bool {
        if !self.server.is_reading(link) {
            return false;
        }
        match self.network.receive_at_server(link) {
            None => return false,
            Some(Frame::Text(text)) => self.server.read(link, &text),
            Some(Frame::Close(code)) => {
                let left = code == CloseCode::Normal.code();
                let departure = if left { Departure::Left } else { Departure::Lost };
                self.server.tear_down(link, departure);
                self.network.close_at_server(link);
            }
        }
        true
    }

    /// Reads one frame at a client. Returns true if there was one.
    pub(crate) fn read_at_client(&mut self, client: usize) -> bool {
        let Some(link) = self.clients[client].link else { return false };
        match self.network.receive_at_client(link) {
            None => return false,
            Some(Frame::Text(text)) => self.clients[client].receive(&text),
            Some(Frame::Close(_)) => self.lose(client),
        }
        true
    }

    /// Ends the driver of a connection that is closed or dead.
    pub(crate) fn tear_down_if_dead(&mut self, link: LinkId) {
        let dead = self.server.is_reading(link) && self.network.is_dead_to_server(link);
        if dead || self.server.is_closing(link) {
            self.server.tear_down(link, Departure::Lost);
            self.network.close_at_server(link);
        }
    }

    pub(crate) fn lose_if_dead(&mut self, client: usize) {
        let link = self.clients[client].link;
        if link.is_some_and(|link| self.network.is_dead_to_client(link)) {
            self.lose(client);
        }
    }

    pub(crate) fn fire(&mut self) {
        let Some(timer) = self.random.pick(&self.server.due()).cloned() else { return };
        let pinged = self.server.fire(timer);
        if let Some(link) = pinged.filter(|link| self.network.is_alive(*link)) {
            self.server.note_pong(link);
        }
    }

    /// Lets time pass, up to the next deadline.
    pub(crate) fn pass_until_deadline(&mut self, time: Duration) {
        let now = self.server.environment.now;
        let next = self.server.next_deadline().map(|deadline| deadline.since(now));
        self.server.environment.pass(next.map_or(time, |next| next.min(time)));
    }

    fn act(&mut self) {
        let client = self.random.below(self.clients.len());
        let knowledge = Knowledge {
            ids: &self.ids,
            leaks: &self.leaks,
            big_percent: self.scenario.big_percent,
        };
        match self.clients[client].act(&mut self.random, &knowledge) {
            ClientAction::Nothing => {}
            ClientAction::Connect(register) => self.connect(client, register),
            ClientAction::Send(text) => self.send(client, text),
            ClientAction::Leave => self.leave(client),
            ClientAction::Vanish => self.vanish(client),
        }
    }

    fn read_at_some_server_end(&mut self) {
        if let Some(link) = self.random.pick(&self.network.links()).copied() {
            self.read_at_server(link);
        }
    }

    fn read_at_some_client(&mut self) {
        let client = self.random.below(self.clients.len());
        self.read_at_client(client);
    }

    fn notice_at_server(&mut self) {
        if let Some(link) = self.random.pick(&self.network.links()).copied() {
            self.tear_down_if_dead(link);
        }
    }

    fn notice_at_client(&mut self) {
        let client = self.random.below(self.clients.len());
        self.lose_if_dead(client);
    }

    fn cut(&mut self) {
        if let Some(link) = self.random.pick(&self.network.links()).copied() {
            self.trace.note(self.server.environment.now, format_args!("#{link} is cut"));
            self.network.cut(link);
        }
    }

    fn pass_moment(&mut self) {
        let time = Duration::from_millis(self.random.between(1, 20) as u64);
        self.pass_until_deadline(time);
    }

    /// Lets seconds pass, after all mail has arrived: mail never takes that long.
    fn pass_long(&mut self) -> Result<(), Violation> {
        self.run_to_quiescence()?;
        let time = Duration::from_secs(self.random.between(1, 90) as u64);
        if self.random.percent(70) {
            self.pass_until_deadline(time);
        } else {
            self.server.environment.pass(time);
        }
        Ok(())
    }

    fn set_clock(&mut self) {
        const HOUR_MILLIS: usize = 3_600_000;
        let millis = self.random.between(0, 2 * HOUR_MILLIS) as i64 - HOUR_MILLIS as i64;
        self.server.set_clock(millis);
    }

    fn restart(&mut self) {
        for link in self.network.links() {
            self.network.cut(link);
            self.network.close_at_server(link);
        }
        self.server.restart();
    }

    fn lose(&mut self, client: usize) {
        if let Some(link) = self.clients[client].link.take() {
            self.network.close_at_client(link);
        }
    }

    fn send_to_client(&mut self, link: LinkId, text: String) {
        let unread = self.network.send_to_client(link, Frame::Text(text));
        if unread > self.scenario.outbox_bytes_max {
            self.server.close(link, CloseCode::Overloaded);
            self.network.cut(link);
        }
    }

    fn leak(&mut self, call_id: String) {
        if self.leaks.len() == LEAKS_MAX {
            self.leaks.remove(0);
        }
        self.leaks.push(call_id);
    }
}

fn population(scenario: &Scenario, random: &mut Random) -> Vec<Client> {
    let behaviours = [
        ("honest", Behaviour::Honest, scenario.honest),
        ("byzantine", Behaviour::Byzantine, scenario.byzantine),
        ("impostor", Behaviour::Impostor, scenario.impostors),
    ];
    let mut clients = Vec::new();
    for (name, behaviour, count) in behaviours {
        for number in 0..count {
            let in_two = random.percent(scenario.in_two_percent);
            clients.push(Client::new(format!("{name}{number}"), behaviour, in_two));
        }
    }
    clients
}

/// Well-formed ids of calls between real clients, made by another server.
fn foreign_call_ids(ids: &[String]) -> Vec<String> {
    let client = |index: usize| ids.get(index).and_then(|id| ClientId::try_from(&**id).ok());
    let parties = client(0).zip(client(1));
    let sealed = parties.map(|(caller, callee)| {
        let parties = Parties { caller, callee, born: securecall_core::UnixTime::from_millis(0) };
        call_id_key(99).seal([9; 24], &parties).into_string()
    });
    sealed.into_iter().collect()
}
