//! The cost of a candidate between two sockets' threads, from the decoded message to the text for its
//! receiver, and its allocations: `cargo bench -p securecall-presence`.
//!
//! All clients are registered and in calls, and take their turns in an order that finds none of
//! them in the processor's caches.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot go on has no other way to report it"
)]

use std::sync::Arc;

use divan::{AllocProfiler, Bencher, black_box};
use parking_lot::Mutex;
use securecall_core::{Config, Context, Instant, Outcome, UnixTime};
use securecall_presence::{Batch, Cell, Host, Registry};
use securecall_protocol::{ClientMessage, CloseCode, Reply, decode};
use securecall_testkit::unlimited_config;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const POPULATIONS: [usize; 2] = [1_000, 100_000];
/// Coprime to every population.
const STRIDE: usize = 7919;

fn main() {
    divan::main();
}

#[divan::bench(args = POPULATIONS, sample_size = 1000)]
fn relay_candidate(bencher: Bencher<'_, '_>, clients: usize) {
    let population = Population::in_calls(clients);
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + STRIDE) % clients;
        let Client { line, cell, candidate } = &population.clients[at];
        population.send_message(line, cell, black_box(candidate));
    });
}

/// A connection: the last text that was sent on it.
type Line = Mutex<String>;

struct Client {
    line: Arc<Line>,
    cell: Arc<Cell<Lines>>,
    candidate: String,
}

/// A host that sends, and does nothing else.
struct Lines;

impl Host for Lines {
    type Connection = Line;
    type Keeper = ();

    fn send(&self, line: &Arc<Line>, reply: &Reply<'_>) {
        let mut text = line.lock();
        text.clear();
        reply.encode(&mut *text);
    }

    fn send_text(&self, line: &Arc<Line>, text: &str) {
        *line.lock() = text.to_string();
    }

    fn close(&self, _: &Line, _: CloseCode) {}

    fn is_closed(&self, _: &Line) -> bool {
        false
    }

    fn is_behind(&self, _: &Line) -> bool {
        false
    }

    fn deadline_moved(&self, _: &Line) {}

    fn start_keeper(self: &Arc<Self>, _: &Arc<Cell<Self>>) {}

    fn stop_keeper(&self, (): ()) {}

    fn is_draining(&self) -> bool {
        false
    }

    fn server_started(&self) -> UnixTime {
        UnixTime::from_millis(0)
    }

    fn count_calls(&self, _: usize, _: usize) {}

    fn count_mail(&self, _: Outcome) {}
}

struct Population {
    host: Arc<Lines>,
    registry: Registry<Lines>,
    config: Config,
    nonces: std::cell::Cell<u64>,
    clients: Vec<Client>,
}

impl Population {
    /// Registers this number of clients, in calls with each other.
    fn in_calls(clients: usize) -> Self {
        let mut population = Self {
            host: Arc::new(Lines),
            registry: Registry::default(),
            config: unlimited_config(),
            nonces: std::cell::Cell::new(0),
            clients: Vec::new(),
        };
        for pair in 0..clients / 2 {
            let (caller, callee) = (2 * pair, 2 * pair + 1);
            population.register(caller);
            population.register(callee);
            population.set_up_call(caller, callee);
        }
        population
    }

    fn register(&mut self, number: usize) {
        let text = format!(r#"{{"type":"REGISTER","payload":{{"clientId":"client-{number}"}}}}"#);
        let request = decode(&text).expect("a registration");
        let ClientMessage::Register(registration) = request.message else {
            unreachable!("a registration")
        };
        let line = Arc::<Line>::default();
        let cell = self.wake(|batch| {
            let (cell, post) = self.registry.register(batch, &line, &registration, None);
            self.registry.run(batch, post);
            cell
        });
        self.clients.push(Client { line, cell, candidate: String::new() });
    }

    fn set_up_call(&mut self, caller: usize, callee: usize) {
        let initiate = format!(
            r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"client-{callee}","sdpOffer":"o"}}}}"#
        );
        self.send_message(&self.clients[caller].line, &self.clients[caller].cell, &initiate);
        let incoming = self.clients[callee].line.lock().clone();
        let (_, rest) = incoming.split_once(r#""callId":""#).expect("it rings");
        let (call, _) = rest.split_once('"').expect("an id");
        let accept = format!(
            r#"{{"type":"CALL_ACCEPT","payload":{{"callId":"{call}","sdpAnswer":"answer"}}}}"#
        );
        self.send_message(&self.clients[callee].line, &self.clients[callee].cell, &accept);
        let candidate = format!(
            r#"{{"type":"ICE_CANDIDATE","payload":{{"callId":"{call}","candidate":"{:x>200}"}}}}"#,
            ""
        );
        for end in [caller, callee] {
            self.send_message(&self.clients[end].line, &self.clients[end].cell, &candidate);
            self.clients[end].candidate.clone_from(&candidate);
        }
    }

    fn send_message(&self, line: &Arc<Line>, cell: &Arc<Cell<Lines>>, text: &str) {
        let request = decode(text).expect("a message");
        let ClientMessage::Call(message) = request.message else { unreachable!("about a call") };
        self.wake(|batch| {
            let post = self.registry.handle_message(batch, cell, line, message, request.id);
            self.registry.run(batch, post);
        });
    }

    fn wake<R>(&self, act: impl FnOnce(&mut Batch<'_, Lines>) -> R) -> R {
        let nonce = || {
            let mut nonce = [0; 24];
            self.nonces.set(self.nonces.get() + 1);
            nonce[..8].copy_from_slice(&self.nonces.get().to_be_bytes());
            nonce
        };
        let unix = UnixTime::from_millis(1_767_225_600_000);
        let cx =
            Context { now: Instant::from_millis(1), unix, config: &self.config, nonce: &nonce };
        act(&mut Batch::begin(&self.host, cx))
    }
}
