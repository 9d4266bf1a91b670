//! The cost of a message, a registration and a departure in the core, among 1,000 clients and among
//! 100,000: `cargo bench -p securecall-core`.
//!
//! All clients are registered and in calls, and take their turns in an order that finds none of
//! them in the processor's caches. So the difference is the cost of memory, and nothing else may
//! grow with the number of clients.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot go on has no other way to report it"
)]

use std::cell::Cell;
use std::collections::HashMap;

use divan::{Bencher, black_box};
use securecall_core::{
    Config, Connection, Context, Departure, Instant, Nonce, Output, Outputs, Session, Step,
    UnixTime,
};
use securecall_protocol::{ClientId, ServerMessage};
use securecall_testkit::unlimited_config;

const POPULATIONS: [usize; 2] = [1_000, 100_000];
const STARTED: UnixTime = UnixTime::from_millis(1_767_225_600_000);

fn main() {
    divan::main();
}

/// From the text of a candidate to the text for its receiver.
#[divan::bench(args = POPULATIONS, sample_size = 1000)]
fn relay_candidate(bencher: Bencher<'_, '_>, clients: usize) {
    let mut population = Population::in_calls(clients);
    let mut turn = Turn::of(clients);
    // A text comes out of a read buffer, not out of memory.
    let texts = population.candidates.clone();
    bencher
        .with_inputs(|| texts[turn.next()].clone())
        .bench_local_refs(|(from, text)| black_box(population.send(from, text)));
}

/// A new client comes, and goes again.
#[divan::bench(args = POPULATIONS, sample_size = 1000)]
fn register_and_leave(bencher: Bencher<'_, '_>, clients: usize) {
    let mut population = Population::in_calls(clients);
    let mut newcomer = clients;
    bencher.bench_local(|| {
        newcomer += 1;
        population.register(newcomer);
        population.leave(newcomer);
    });
}

/// Goes through all clients, each far from the one before.
struct Turn {
    at: usize,
    clients: usize,
}

impl Turn {
    /// Coprime to every population.
    const STRIDE: usize = 7919;

    fn of(clients: usize) -> Self {
        Self { at: 0, clients }
    }

    fn next(&mut self) -> usize {
        self.at = (self.at + Self::STRIDE) % self.clients;
        self.at
    }
}

/// Registered clients and the shortest way between their sessions.
struct Population {
    config: Config,
    clients: HashMap<ClientId, Client>,
    /// The message that each client sends in its call.
    candidates: Vec<(ClientId, String)>,
    messages: u64,
    sent: String,
}

struct Client {
    connection: Connection,
    session: Session,
}

impl Population {
    /// Registers this number of clients, in calls with each other.
    fn in_calls(clients: usize) -> Self {
        let mut population = Self {
            config: unlimited_config(),
            clients: HashMap::new(),
            candidates: Vec::new(),
            messages: 0,
            sent: String::new(),
        };
        for caller in (0..clients).step_by(2) {
            population.register(caller);
            population.register(caller + 1);
            population.set_up_call(caller, caller + 1);
        }
        population
    }

    fn register(&mut self, number: usize) {
        let text =
            format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{}"}}}}"#, id(number).as_str());
        let Self { config, clients, messages, sent, .. } = self;
        with(config, messages, |cx| {
            let mut connection = Connection::new(cx.now);
            let step = connection.handle_text(cx, &text);
            let Step::Register { registration, request_id } = step else {
                unreachable!("a registration")
            };
            let client_id = registration.client_id.clone();
            let mut session = Session::new(client_id.clone(), STARTED, cx);
            let outputs = session.attach(cx, &registration, request_id);
            connection.registered(client_id.clone(), registration.dialect);
            assert!(post(clients, cx, sent, &client_id, outputs).is_none());
            clients.insert(client_id, Client { connection, session });
        });
    }

    fn leave(&mut self, number: usize) {
        let Self { config, clients, messages, .. } = self;
        with(config, messages, |cx| {
            let mut client = clients.remove(&id(number)).expect("is there");
            assert!(client.session.detach(cx, Departure::Lost).is_empty());
            assert!(client.session.is_over());
        });
    }

    fn set_up_call(&mut self, caller: usize, callee: usize) {
        let (caller, callee) = (id(caller), id(callee));
        let initiate = format!(
            r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"{}","sdpOffer":"offer"}}}}"#,
            callee.as_str()
        );
        let call_id = self.send(&caller, &initiate).expect("rings");
        let accept = format!(
            r#"{{"type":"CALL_ACCEPT","payload":{{"callId":"{call_id}","sdpAnswer":"answer"}}}}"#
        );
        self.send(&callee, &accept).expect("is accepted");
        let candidate = format!(
            r#"{{"type":"ICE_CANDIDATE","payload":{{"callId":"{call_id}","candidate":"{:x>200}"}}}}"#,
            ""
        );
        self.candidates.push((caller, candidate.clone()));
        self.candidates.push((callee, candidate));
    }

    /// Sends a message. Returns the id of the call that its receiver learns of.
    fn send(&mut self, from: &ClientId, text: &str) -> Option<String> {
        let Self { config, clients, messages, sent, .. } = self;
        with(config, messages, |cx| handle_text(clients, cx, sent, from, text))
    }
}

/// One decision. The clock goes on, so that no bucket runs empty.
fn with<T>(config: &Config, messages: &mut u64, decide: impl FnOnce(&Context<'_>) -> T) -> T {
    *messages += 1;
    let count = Cell::new(*messages);
    let nonce = || {
        let mut nonce = Nonce::default();
        nonce[..8].copy_from_slice(&count.replace(count.get() + 1).to_be_bytes());
        nonce
    };
    let now = Instant::from_millis(*messages);
    decide(&Context { now, unix: STARTED, config, nonce: &nonce })
}

fn handle_text(
    clients: &mut HashMap<ClientId, Client>,
    cx: &Context<'_>,
    sent: &mut String,
    from: &ClientId,
    text: &str,
) -> Option<String> {
    let client = clients.get_mut(from).expect("is there");
    client.connection.heard(cx.now);
    let Step::Call { message, request_id } = client.connection.handle_text(cx, text) else {
        unreachable!("a message about a call")
    };
    let outputs = client.session.handle_message(cx, message, request_id);
    post(clients, cx, sent, from, outputs)
}

/// Carries outputs out: the texts go into `sent`, mail to its receiver.
fn post(
    clients: &mut HashMap<ClientId, Client>,
    cx: &Context<'_>,
    sent: &mut String,
    from: &ClientId,
    outputs: Outputs<'_>,
) -> Option<String> {
    sent.clear();
    let mut learnt = None;
    for output in outputs {
        match output {
            Output::Send(reply) => reply.encode(sent),
            Output::Mail { to, mail, .. } => {
                let receiver = clients.get_mut(&to).expect("is there");
                for output in receiver.session.handle_mail(cx, from, &mail).outputs {
                    let Output::Send(reply) = output else { continue };
                    reply.encode(sent);
                    if let ServerMessage::IncomingCall { call_id, .. }
                    | ServerMessage::CallAccepted { call_id, .. } = reply.message
                    {
                        learnt = Some(call_id.into_owned());
                    }
                }
            }
            Output::SendText(_) => unreachable!("nobody was away"),
        }
    }
    learnt
}

fn id(number: usize) -> ClientId {
    ClientId::try_from(format!("client-{number}").as_str()).expect("a valid id")
}
