//! Brings the clients to where the traffic can begin: connected, registered, and in pairs.

use std::mem;

use crate::clients::Clients;
use crate::clock::{Nanos, nanos};
use crate::dialect::{Dialect, End, Received};
use crate::failure::Failure;

/// The bound of clients that connect at the same time: enough to keep a server busy, and few enough
/// for a server that bounds the requests of one address.
const OPENING_MAX: usize = 64;

/// The progress of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// Connecting, since then, or not registered yet.
    Opening(Nanos),
    /// Registered; its pair is not set up.
    Registered,
    /// It can take part.
    Ready,
    Failed,
}

/// The way clients are paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pairs {
    /// Every client is by itself.
    None,
    /// Clients 2k and 2k + 1 belong together; the dialect sets their pair up before the traffic.
    SetUp,
}

/// The clients and their stages.
pub(crate) struct Population {
    dialect: Box<dyn Dialect>,
    pairs: Pairs,
    ends: Vec<End>,
    stages: Vec<Stage>,
    /// The first client that has not begun to connect.
    next: usize,
    opening: usize,
    ready: usize,
    failed: usize,
    /// Texts that the dialect wants sent; empty between calls.
    out: Vec<String>,
    kept_alive: Nanos,
}

impl Population {
    /// A population as large as `clients`. `run` is part of the client ids and separates runs.
    pub(crate) fn new(
        dialect: Box<dyn Dialect>,
        pairs: Pairs,
        run: &str,
        clients: &Clients,
    ) -> Self {
        let name = |client: usize| format!("load-{run}-{}", clients.number(client));
        let end = |client: usize| End {
            name: name(client),
            peer: if pairs == Pairs::None { String::new() } else { name(client ^ 1) },
            address: String::new(),
        };
        Self {
            dialect,
            pairs,
            ends: (0..clients.count()).map(end).collect(),
            stages: vec![Stage::Waiting; clients.count()],
            next: 0,
            opening: 0,
            ready: 0,
            failed: 0,
            out: Vec::new(),
            kept_alive: 0,
        }
    }

    /// Begins to connect as many clients as may connect at the same time.
    pub(crate) fn fill(&mut self, clients: &mut Clients) {
        while self.opening < OPENING_MAX && self.next < self.stages.len() {
            let client = self.next;
            self.next += 1;
            self.open(clients, client);
        }
    }

    /// Begins to connect one client.
    pub(crate) fn open(&mut self, clients: &mut Clients, client: usize) {
        self.leave_stage(client);
        self.stages[client] = Stage::Opening(clients.now());
        self.opening += 1;
        let path = self.dialect.request_path(clients.path(), &self.ends[client]);
        if let Err(failure) = clients.open(client, &path) {
            self.lose(clients, client, failure);
        }
    }

    /// The connection of a client is open: registers.
    pub(crate) fn opened(&mut self, clients: &mut Clients, client: usize) {
        self.dialect.open(&self.ends[client], &mut self.out);
        self.send_out(clients, client);
    }

    /// A text for a client: what it means, after its meaning for the client's stage was noted.
    #[inline]
    pub(crate) fn receive(&mut self, clients: &mut Clients, client: usize, text: &str) -> Received {
        let received = self.dialect.receive(&mut self.ends[client], text, &mut self.out);
        if received != Received::Message {
            self.note(clients, client, &received);
        }
        received
    }

    fn note(&mut self, clients: &mut Clients, client: usize, received: &Received) {
        self.send_out(clients, client);
        match received {
            Received::Registered => self.registered(clients, client),
            Received::Paired => self.paired(client),
            Received::Error(code) => self.refused(clients, client, code),
            Received::Message | Received::Other => {}
        }
    }

    fn registered(&mut self, clients: &mut Clients, client: usize) {
        let Stage::Opening(since) = self.stages[client] else { return };
        clients.recording.note_set_up(since, clients.read_at());
        self.leave_stage(client);
        self.stages[client] = Stage::Registered;
        match self.pairs {
            Pairs::None => self.paired(client),
            Pairs::SetUp => self.pair(clients, client & !1),
        }
        self.fill(clients);
    }

    /// Sets a pair up once both ends are registered.
    fn pair(&mut self, clients: &mut Clients, caller: usize) {
        let callee = caller + 1;
        let at = |client: usize| self.stages.get(client).copied();
        if at(caller) != Some(Stage::Registered) || at(callee) != Some(Stage::Registered) {
            return;
        }
        let [caller_end, callee_end] = &mut self.ends[caller..=callee] else { return };
        let at_once = self.dialect.pair(caller_end, callee_end, &mut self.out);
        self.send_out(clients, caller);
        if at_once {
            self.paired(caller);
            self.paired(callee);
        }
    }

    fn paired(&mut self, client: usize) {
        if matches!(self.stages[client], Stage::Registered) {
            self.stages[client] = Stage::Ready;
            self.ready += 1;
        }
    }

    /// An error ends the set-up of a client; a client in traffic goes on.
    fn refused(&mut self, clients: &mut Clients, client: usize, code: &str) {
        let failure = Failure::Error(code.to_owned());
        if self.stages[client] == Stage::Ready {
            clients.recording.note_failure(failure);
        } else {
            self.lose(clients, client, failure);
        }
    }

    /// A client is lost; so is the other end of its pair, silently.
    pub(crate) fn lose(&mut self, clients: &mut Clients, client: usize, failure: Failure) {
        clients.recording.note_failure(failure);
        self.fail(clients, client);
        if self.pairs != Pairs::None && (client ^ 1) < self.stages.len() {
            self.fail(clients, client ^ 1);
        }
        self.fill(clients);
    }

    /// Notes that a client has no connection, and that the scenario opens it again.
    pub(crate) fn set_waiting(&mut self, client: usize) {
        self.leave_stage(client);
        self.stages[client] = Stage::Waiting;
    }

    fn fail(&mut self, clients: &mut Clients, client: usize) {
        clients.drop_connection(client);
        self.leave_stage(client);
        self.stages[client] = Stage::Failed;
        self.failed += 1;
    }

    fn leave_stage(&mut self, client: usize) {
        match self.stages[client] {
            Stage::Opening(_) => self.opening -= 1,
            Stage::Ready => self.ready -= 1,
            Stage::Failed => self.failed -= 1,
            Stage::Waiting | Stage::Registered => {}
        }
    }

    /// Gives up on all that are not ready.
    pub(crate) fn give_up(&mut self, clients: &mut Clients) {
        self.next = self.stages.len();
        for client in 0..self.stages.len() {
            if !matches!(self.stages[client], Stage::Ready | Stage::Failed) {
                clients.recording.note_failure(Failure::NotReady);
                self.fail(clients, client);
            }
        }
    }

    /// Returns true if every client is ready or has failed.
    pub(crate) fn is_settled(&self) -> bool {
        self.ready + self.failed == self.stages.len()
    }

    pub(crate) fn ready(&self) -> usize {
        self.ready
    }

    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    pub(crate) fn is_ready(&self, client: usize) -> bool {
        self.stages[client] == Stage::Ready
    }

    /// The text of a message from a client to the other end of its pair.
    pub(crate) fn message(&self, client: usize, body: &str) -> String {
        self.dialect.message(&self.ends[client], body)
    }

    /// The id of a client.
    pub(crate) fn name(&self, client: usize) -> &str {
        &self.ends[client].name
    }

    /// Sends the keepalives that are due.
    pub(crate) fn keep_alive(&mut self, clients: &mut Clients) {
        let Some((text, interval)) = self.dialect.keepalive() else { return };
        if clients.now() - self.kept_alive < nanos(interval) {
            return;
        }
        self.kept_alive = clients.now();
        for client in (0..self.stages.len()).filter(|client| self.stages[*client] == Stage::Ready) {
            clients.send(client, text);
        }
    }

    fn send_out(&mut self, clients: &mut Clients, client: usize) {
        for text in mem::take(&mut self.out) {
            clients.send(client, &text);
        }
    }
}
