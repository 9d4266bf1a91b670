//! The client under test, the time, and what it does.

use std::time::{Duration, Instant, SystemTime};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use securecall_protocol::ClientId;
use securecall_seal::{Callee, Caller, DirectoryKey, Identity, Seed, Suite};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::command::{Command, Reply};
use crate::machine::{Context, LinkInput, Machine, Output};
use crate::{CallId, Disconnect, Error, Event, KnownKeys};

/// Alice's client.
pub(super) struct Stage {
    pub(super) machine: Machine,
    now: Instant,
    wall: SystemTime,
    rng: StdRng,
    pub(super) sent: Vec<Value>,
    pub(super) events: Vec<Event>,
    pub(super) connects: usize,
    pub(super) pings: usize,
    pub(super) hangups: Vec<Option<u16>>,
    pub(super) alice: Identity,
    pub(super) bob: Identity,
    seq: u64,
}

pub(super) fn id(text: &str) -> ClientId {
    text.try_into().unwrap()
}

fn identity(name: &str, rng: &mut StdRng) -> Identity {
    Identity::new(name, &Seed::generate(rng), Suite::X25519).unwrap()
}

impl Stage {
    /// Not connected yet.
    pub(super) fn new() -> Self {
        Self::knowing(KnownKeys::in_memory())
    }

    /// Not connected yet, and unlisted: Bob alone may call.
    pub(super) fn unlisted() -> Self {
        let mut stage = Self::new();
        let bob = DirectoryKey::parse(stage.bob.directory_key().as_str(), "bob").unwrap();
        let (key, known_keys) = (stage.alice.clone(), KnownKeys::in_memory());
        stage.machine = Machine::new(id("alice"), key, known_keys).unlisted(Some(vec![bob]));
        stage.forget();
        stage.give(|machine, cx| machine.handle_timeout(cx));
        stage
    }

    fn knowing(known_keys: KnownKeys) -> Self {
        let mut rng = StdRng::seed_from_u64(7);
        let (alice, bob) = (identity("alice", &mut rng), identity("bob", &mut rng));
        let machine = Machine::new(id("alice"), alice.clone(), known_keys);
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut stage = Self {
            machine,
            now,
            wall,
            rng,
            sent: Vec::new(),
            events: Vec::new(),
            connects: 0,
            pings: 0,
            hangups: Vec::new(),
            alice,
            bob,
            seq: 0,
        };
        stage.give(|machine, cx| machine.handle_timeout(cx));
        stage
    }

    /// Registered in dialect 2, with its key in the directory, and nothing left to look at.
    pub(super) fn registered() -> Self {
        Self::registered_knowing(KnownKeys::in_memory())
    }

    pub(super) fn registered_knowing(known_keys: KnownKeys) -> Self {
        let mut stage = Self::knowing(known_keys);
        stage.open();
        stage.register(&json!({"resumed": false}));
        let published = stage.id_of("PKD_REGISTER");
        stage.answer(&published, "PKD_RESULT", json!({"clientId": "alice", "publicKey": "k"}));
        stage.forget();
        stage
    }

    fn give(&mut self, input: impl FnOnce(&mut Machine, &mut Context<'_>)) {
        let mut cx = Context { now: self.now, wall: self.wall, rng: &mut self.rng };
        input(&mut self.machine, &mut cx);
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Connect => self.connects += 1,
                Output::Send(text) => self.sent.push(serde_json::from_str(&text).unwrap()),
                Output::Ping => self.pings += 1,
                Output::HangUp(code) => self.hangups.push(code),
                Output::Event(event) => self.events.push(event),
                Output::SyncKeys => {}
            }
        }
    }

    /// Time passes, and every deadline on the way is met.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        let mut turns = 0;
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) {
            let passed = deadline.saturating_duration_since(self.now);
            self.now += passed;
            self.wall += passed;
            self.give(|machine, cx| machine.handle_timeout(cx));
            turns += 1;
            assert!(turns < 10_000, "a deadline does not go away");
        }
        self.wall += until - self.now;
        self.now = until;
    }

    pub(super) fn open(&mut self) {
        self.give(|machine, cx| machine.handle_link(cx, LinkInput::Opened));
    }

    pub(super) fn hear_pong(&mut self) {
        self.give(|machine, cx| machine.handle_link(cx, LinkInput::Heard));
    }

    pub(super) fn lose(&mut self, cause: Disconnect, retry_after: Option<Duration>) {
        self.give(|machine, cx| machine.handle_link(cx, LinkInput::Lost { cause, retry_after }));
    }

    /// Loses the connection and opens the next one; what it sends then is in `sent`.
    pub(super) fn reconnect(&mut self) {
        self.forget();
        self.lose(Disconnect::Network("cut".into()), None);
        while self.connects == 0 {
            self.pass(Duration::from_millis(100));
        }
        self.forget();
        self.open();
    }

    /// Answers REGISTER, in dialect 2. `more` goes into the payload.
    pub(super) fn register(&mut self, more: &Value) {
        let mut payload = json!({"clientId": "alice", "protocol": 2, "resumeToken": "token"});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if more["resumed"] == false {
            self.seq = 0;
        }
        let reply_to = self.id_of("REGISTER");
        self.hear(json!({"type": "REGISTERED", "payload": payload, "replyTo": reply_to}));
    }

    /// Hears a message as it is.
    pub(super) fn hear(&mut self, message: Value) {
        self.hear_text(&message.to_string());
    }

    pub(super) fn hear_text(&mut self, text: &str) {
        self.give(|machine, cx| machine.handle_link(cx, LinkInput::Text(text)));
    }

    /// Hears the next numbered message.
    pub(super) fn hear_next(&mut self, message_type: &str, payload: Value) {
        self.seq += 1;
        self.hear(json!({"type": message_type, "payload": payload, "seq": self.seq}));
    }

    /// Hears the next numbered message, which answers a request.
    pub(super) fn answer(&mut self, reply_to: &Value, message_type: &str, payload: Value) {
        self.seq += 1;
        let (seq, reply_to) = (self.seq, reply_to.clone());
        let message =
            json!({"type": message_type, "payload": payload, "seq": seq, "replyTo": reply_to});
        self.hear(message);
    }

    pub(super) fn refuse(&mut self, reply_to: &Value, code: &str, retry_after_ms: Option<u64>) {
        let mut payload = json!({"code": code, "message": "no"});
        if let Some(retry_after_ms) = retry_after_ms {
            payload["retryAfterMs"] = retry_after_ms.into();
        }
        self.answer(reply_to, "ERROR", payload);
    }

    /// Saves the known keys, as the shell does.
    pub(super) fn save_keys(&mut self) {
        let unsaved = self.machine.known_keys().unsaved().expect("keys in a file");
        let saved = unsaved.save().unwrap();
        self.give(|machine, cx| machine.handle_saved_keys(cx, saved));
    }

    pub(super) fn ask<T>(
        &mut self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (reply, result) = oneshot::channel();
        self.command(command(reply));
        result
    }

    pub(super) fn command(&mut self, command: Command) {
        self.give(|machine, cx| machine.handle_command(cx, command));
    }

    pub(super) fn candidate(&mut self, call: CallId, candidate: &str) -> Result<(), Error> {
        let candidate = candidate.to_owned();
        let mut result = self.ask(|reply| Command::Candidate { call, candidate, reply });
        result.try_recv().unwrap()
    }

    /// Alice calls bob; the call's id, the CALL_INITIATE.
    pub(super) fn call_bob(&mut self) -> (CallId, Value) {
        let (target, offer) = (id("bob"), "v=0 offer".to_owned());
        let mut result = self.ask(|reply| Command::Call { target, offer, reply });
        let lookup = self.id_of("PKD_LOOKUP");
        let key = self.bob.directory_key().as_str().to_owned();
        self.answer(&lookup, "PKD_RESULT", json!({"clientId": "bob", "publicKey": key}));
        (result.try_recv().unwrap().unwrap(), self.last("CALL_INITIATE").clone())
    }

    /// Alice calls bob, and he answers; the call's id.
    pub(super) fn talk_to_bob(&mut self) -> CallId {
        let (call, initiate) = self.call_bob();
        self.bob_answers(&initiate);
        call
    }

    /// Bob answers the call that this CALL_INITIATE began, as `c1`.
    pub(super) fn bob_answers(&mut self, initiate: &Value) {
        let initiated = json!({"callId": "c1", "targetId": "bob"});
        self.answer(&initiate["id"], "CALL_INITIATED", initiated);
        let offer = initiate["payload"]["sdpOffer"].as_str().unwrap();
        let key = self.alices_key();
        let incoming = Callee::new(&self.bob).open_offer(&key, offer, self.wall).unwrap();
        let (_, answer) = incoming.answer("c1", "v=0 answer", &mut self.rng).unwrap();
        self.hear_next("CALL_ACCEPTED", json!({"callId": "c1", "sdpAnswer": answer}));
    }

    /// An offer of this identity to alice, on a clock that is so far ahead of hers, in seconds.
    pub(super) fn offer_of(&mut self, caller: &Identity, ahead_seconds: i64) -> String {
        let key = self.alices_key();
        let apart = Duration::from_secs(ahead_seconds.unsigned_abs());
        let wall = if ahead_seconds < 0 { self.wall - apart } else { self.wall + apart };
        Caller::new(caller, &key).offer("v=0 offer", wall, &mut self.rng).unwrap().1
    }

    pub(super) fn offer_to(&mut self, caller: &Identity, callee: &DirectoryKey) -> String {
        Caller::new(caller, callee).offer("v=0 offer", self.wall, &mut self.rng).unwrap().1
    }

    pub(super) fn carol(&mut self) -> Identity {
        identity("carol", &mut self.rng)
    }

    /// Bob calls alice with the id `c1`, and her phone rings; the call's id.
    pub(super) fn bob_calls(&mut self) -> CallId {
        self.bob_calls_as("c1")
    }

    pub(super) fn bob_calls_as(&mut self, call_id: &str) -> CallId {
        let bob = self.bob.clone();
        let offer = self.offer_of(&bob, 0);
        let payload = json!({"callId": call_id, "callerId": "bob", "sdpOffer": offer});
        self.hear_next("INCOMING_CALL", payload);
        let lookup = self.id_of("PKD_LOOKUP");
        let key = self.bob.directory_key().as_str().to_owned();
        self.answer(&lookup, "PKD_RESULT", json!({"clientId": "bob", "publicKey": key}));
        let incoming = self.events.iter().rev().find_map(|event| match event {
            Event::Incoming { call, .. } => Some(*call),
            _ => None,
        });
        incoming.expect("it should ring")
    }

    pub(super) fn accept(&mut self, call: CallId) {
        let answer = "v=0 answer".to_owned();
        let mut result = self.ask(|reply| Command::Accept { call, answer, reply });
        result.try_recv().unwrap().unwrap();
    }

    fn alices_key(&self) -> DirectoryKey {
        DirectoryKey::parse(self.alice.directory_key().as_str(), "alice").unwrap()
    }

    /// Forgets what was sent and what happened so far.
    pub(super) fn forget(&mut self) {
        self.sent.clear();
        self.events.clear();
        self.hangups.clear();
        (self.connects, self.pings) = (0, 0);
    }

    /// The last message of this type that was sent.
    pub(super) fn last(&self, message_type: &str) -> &Value {
        let last = self.sent.iter().rev().find(|message| message["type"] == message_type);
        last.unwrap_or_else(|| panic!("no {message_type} in {:?}", self.types()))
    }

    pub(super) fn id_of(&self, message_type: &str) -> Value {
        self.last(message_type)["id"].clone()
    }

    /// The types of what was sent, in order.
    pub(super) fn types(&self) -> Vec<&str> {
        self.sent.iter().map(|message| message["type"].as_str().unwrap()).collect()
    }

    pub(super) fn count(&self, message_type: &str) -> usize {
        self.types().iter().filter(|sent| **sent == message_type).count()
    }
}
