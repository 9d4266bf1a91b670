//! A node: a registry, and a host that notes what it is asked for.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use securecall_core::{CallLimits, Config, Context, Departure, Instant, Outcome, UnixTime};
use securecall_presence::{Batch, Cell, Host, OwnedPost, Post, Registry};
use securecall_protocol::{ClientId, ClientMessage, CloseCode, Reply, decode};
use securecall_testkit::unlimited_config;

const EPOCH_MILLIS: u64 = 1_767_225_600_000;
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// The place of one client id.
pub(crate) type Place = Arc<Cell<Notes>>;

/// A connection, and what was sent on it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    received: Mutex<Vec<String>>,
    pub(crate) closed: AtomicBool,
    pub(crate) behind: AtomicBool,
    pub(crate) deadline_moved: AtomicBool,
    close_codes: Mutex<Vec<CloseCode>>,
}

impl Line {
    /// Takes the messages that were sent.
    pub(crate) fn received(&self) -> Vec<String> {
        std::mem::take(&mut self.received.lock().unwrap())
    }

    pub(crate) fn close_codes(&self) -> Vec<CloseCode> {
        self.close_codes.lock().unwrap().clone()
    }
}

/// A keeper. Stopping it is noted.
#[derive(Debug)]
pub(crate) struct Keeper(Arc<AtomicBool>);

/// The host.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) draining: AtomicBool,
    /// The keepers that were started, and whether they run.
    keepers: Mutex<Vec<(Place, Arc<AtomicBool>)>>,
    pub(crate) calls: AtomicI64,
    outcomes: Mutex<Vec<Outcome>>,
    pub(crate) behind_asked: AtomicUsize,
}

impl Host for Notes {
    type Connection = Line;
    type Keeper = Keeper;

    fn send(&self, line: &Arc<Line>, reply: &Reply<'_>) {
        let mut text = String::new();
        reply.encode(&mut text);
        self.send_text(line, &text);
    }

    fn send_text(&self, line: &Arc<Line>, text: &str) {
        line.received.lock().unwrap().push(text.to_string());
    }

    fn close(&self, line: &Line, code: CloseCode) {
        line.closed.store(true, Ordering::SeqCst);
        line.close_codes.lock().unwrap().push(code);
    }

    fn is_closed(&self, line: &Line) -> bool {
        line.closed.load(Ordering::SeqCst)
    }

    fn is_behind(&self, line: &Line) -> bool {
        self.behind_asked.fetch_add(1, Ordering::SeqCst);
        line.behind.load(Ordering::SeqCst)
    }

    fn deadline_moved(&self, line: &Line) {
        line.deadline_moved.store(true, Ordering::SeqCst);
    }

    fn start_keeper(self: &Arc<Self>, cell: &Place) -> Keeper {
        let runs = Arc::new(AtomicBool::new(true));
        self.keepers.lock().unwrap().push((cell.clone(), runs.clone()));
        Keeper(runs)
    }

    fn stop_keeper(&self, keeper: Keeper) {
        keeper.0.store(false, Ordering::SeqCst);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    fn server_started(&self) -> UnixTime {
        UnixTime::from_millis(EPOCH_MILLIS)
    }

    fn count_calls(&self, before: usize, after: usize) {
        self.calls.fetch_add(after as i64 - before as i64, Ordering::SeqCst);
    }

    fn count_mail(&self, outcome: Outcome) {
        self.outcomes.lock().unwrap().push(outcome);
    }
}

/// A node with a clock. Threads may share it.
pub(crate) struct Node {
    pub(crate) host: Arc<Notes>,
    pub(crate) registry: Registry<Notes>,
    config: Config,
    millis: AtomicU64,
    nonces: AtomicU64,
}

/// A client that is registered.
pub(crate) struct Registered {
    pub(crate) line: Arc<Line>,
    pub(crate) cell: Place,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            host: Arc::default(),
            registry: Registry::default(),
            config: config(),
            millis: AtomicU64::new(1_000),
            nonces: AtomicU64::new(0),
        }
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.millis.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_millis(self.millis.load(Ordering::SeqCst))
    }

    /// A wake-up of a task.
    pub(crate) fn wake<R>(&self, act: impl FnOnce(&mut Batch<'_, Notes>) -> R) -> R {
        let nonce = || {
            let mut nonce = [0; 24];
            nonce[..8].copy_from_slice(&self.nonces.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            nonce
        };
        let now = self.now();
        let unix = UnixTime::from_millis(EPOCH_MILLIS + now.as_millis());
        let cx = Context { now, unix, config: &self.config, nonce: &nonce };
        act(&mut Batch::begin(&self.host, cx))
    }

    /// A new connection registers that client; REGISTERED is among its messages.
    pub(crate) fn register(&self, client: &str) -> Registered {
        let text = format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{client}"}}}}"#);
        let request = decode(&text).unwrap();
        let ClientMessage::Register(registration) = request.message else { panic!("{text}") };
        let line = Arc::<Line>::default();
        let cell = self.wake(|batch| {
            let (cell, post) = self.registry.register(batch, &line, &registration, request.id);
            self.registry.run(batch, post);
            cell
        });
        Registered { line, cell }
    }

    /// The client registers, and REGISTERED is all that it is sent.
    pub(crate) fn register_fresh(&self, client: &str) -> Registered {
        let registered = self.register(client);
        let received = registered.line.received();
        assert_eq!(received.len(), 1, "{received:?}");
        assert!(received[0].contains("REGISTERED"));
        registered
    }

    /// The client sends a message about a call, whose mail is not delivered yet.
    pub(crate) fn ask(
        &self,
        Registered { line, cell }: &Registered,
        text: &str,
    ) -> OwnedPost<Notes> {
        let request = decode(text).unwrap();
        let ClientMessage::Call(message) = request.message else { panic!("{text}") };
        self.wake(|batch| {
            self.registry.handle_message(batch, cell, line, message, request.id).into_owned()
        })
    }

    /// The same, and its mail is dealt with.
    pub(crate) fn send(&self, client: &Registered, text: &str) {
        let post = self.ask(client, text);
        self.deal_with(post);
    }

    /// Deals with mail, a wake-up for each step.
    pub(crate) fn deal_with(&self, mut post: OwnedPost<Notes>) {
        while let Some(item) = post.items.pop() {
            let following =
                self.wake(|batch| self.registry.step(batch, item.as_item()).into_owned());
            post.items.extend(following.items);
        }
    }

    pub(crate) fn release(&self, Registered { line, cell }: &Registered, departure: Departure) {
        self.wake(|batch| {
            let post = self.registry.release(batch, cell, line, departure);
            self.registry.run(batch, post);
        });
    }

    /// Has the driver look at the session's deadlines.
    pub(crate) fn look(&self, Registered { line, cell }: &Registered, latest: Instant) -> Instant {
        self.wake(|batch| {
            let (next, post) = self.registry.handle_timeout(batch, cell, line, latest);
            self.registry.run(batch, post);
            next
        })
    }

    /// Has the session's keeper look at its deadlines.
    pub(crate) fn keep(&self, cell: &Place) -> Option<Instant> {
        let (next, post) = self.keep_and_hold_mail(cell);
        self.deal_with(post);
        next
    }

    pub(crate) fn keep_and_hold_mail(&self, cell: &Place) -> (Option<Instant>, OwnedPost<Notes>) {
        self.wake(|batch| {
            let (next, post): (_, Post<'_, Notes>) = self.registry.handle_absence(batch, cell);
            (next, post.into_owned())
        })
    }

    /// The cells whose keepers run.
    pub(crate) fn keepers(&self) -> Vec<Place> {
        let keepers = self.host.keepers.lock().unwrap();
        let running = keepers.iter().filter(|(_, runs)| runs.load(Ordering::SeqCst));
        running.map(|(cell, _)| cell.clone()).collect()
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.host.outcomes.lock().unwrap())
    }

    /// Rings and answers; the call's id.
    pub(crate) fn call(&self, caller: &Registered, callee: &Registered) -> String {
        let call = self.ring(caller, callee);
        self.send(callee, &accept(&call));
        let received = caller.line.received();
        assert!(received[0].contains("CALL_ACCEPTED"), "{received:?}");
        call
    }

    /// Rings; the call's id.
    pub(crate) fn ring(&self, caller: &Registered, callee: &Registered) -> String {
        self.send(caller, &initiate(callee.cell.client_id().as_str()));
        let received = callee.line.received();
        assert!(received[0].contains("INCOMING_CALL"), "{received:?}");
        call_id(&received[0])
    }
}

pub(crate) fn initiate(target: &str) -> String {
    format!(r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"{target}","sdpOffer":"offer"}}}}"#)
}

pub(crate) fn accept(call: &str) -> String {
    format!(r#"{{"type":"CALL_ACCEPT","payload":{{"callId":"{call}","sdpAnswer":"answer"}}}}"#)
}

pub(crate) fn end(call: &str) -> String {
    format!(r#"{{"type":"CALL_END","payload":{{"callId":"{call}"}}}}"#)
}

pub(crate) fn candidate(call: &str, text: &str) -> String {
    format!(r#"{{"type":"ICE_CANDIDATE","payload":{{"callId":"{call}","candidate":"{text}"}}}}"#)
}

pub(crate) fn call_id(text: &str) -> String {
    let (_, rest) = text.split_once(r#""callId":""#).unwrap();
    rest.split_once('"').unwrap().0.to_string()
}

pub(crate) fn id(client: &str) -> ClientId {
    ClientId::try_from(client).unwrap()
}

fn config() -> Config {
    let minute = Duration::from_secs(60);
    let calls = CallLimits {
        ring_timeout: minute,
        grace: GRACE,
        per_session_max: 16,
        unanswered_max: 8,
        waiting_bytes_max: 100_000,
        waiting_count_max: 1_000,
        waiting_age_max: minute,
    };
    Config { calls, ..unlimited_config() }
}
