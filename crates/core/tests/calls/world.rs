//! Sessions, the post between them, and clients that a test directs.
//!
//! The shell here is the shortest that keeps the contract of `securecall_core`: mail is delivered
//! at once, unless a test holds it back to make a race.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use securecall_core::delivery::{self, Receiver};
use securecall_core::directory::ReplacePolicy;
use securecall_core::{
    CallIdKey, CallLimits, Config, ConnectionLimits, Context, Departure, Instant, Nonce, Outcome,
    Output, Outputs, OwnedMail, Rate, Session, Turn, UnixTime,
};
use securecall_protocol::{
    CallMessage, ClientId, ClientMessage, Opaque, OwnedOpaque, Registration, decode,
};

use crate::wire;

pub(crate) const RING_TIMEOUT: Duration = Duration::from_secs(60);
pub(crate) const GRACE: Duration = Duration::from_secs(30);
pub(crate) const MOMENT: Duration = Duration::from_millis(1);
pub(crate) const CALLS_MAX: usize = 3;
pub(crate) const UNANSWERED_MAX: usize = 4;
pub(crate) const WAITING_BYTES_MAX: usize = 2_000;
pub(crate) const WAITING_COUNT_MAX: usize = 8;
pub(crate) const WAITING_AGE_MAX: Duration = Duration::from_secs(100);

/// A connection of a client, as the client holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Device {
    client: &'static str,
    connection: usize,
}

/// A client of dialect 2 on a connection: what it has to resume with.
#[derive(Debug, Clone)]
pub(crate) struct Phone {
    pub(crate) device: Device,
    pub(crate) token: String,
    pub(crate) seq: u64,
}

impl Device {
    pub(crate) fn id(self) -> ClientId {
        id(self.client)
    }
}

pub(crate) fn id(client: &str) -> ClientId {
    ClientId::try_from(client).unwrap()
}

pub(crate) struct World {
    nature: Nature,
    started: UnixTime,
    places: BTreeMap<ClientId, Place>,
    /// The messages to each connection that it has not looked at yet.
    inboxes: Vec<Vec<String>>,
    post: VecDeque<Letter>,
    post_is_held: bool,
    /// Outcomes of letters whose senders have not learnt them yet.
    reports: Vec<(Letter, Outcome)>,
}

struct Place {
    session: Session,
    attached: Option<usize>,
}

/// A mail that can be held back.
struct Letter {
    from: ClientId,
    to: ClientId,
    mail: OwnedMail,
    request_id: Option<OwnedOpaque>,
}

/// Time, configuration and randomness.
struct Nature {
    now: Instant,
    /// The time of the wall clock at 0 of the other one, in milliseconds.
    epoch: u64,
    config: Config,
    nonces: Cell<u64>,
}

impl Nature {
    fn unix(&self) -> UnixTime {
        UnixTime::from_millis(self.epoch + self.now.as_millis())
    }

    fn with<R>(&self, decide: impl FnOnce(&Context<'_>) -> R) -> R {
        let nonce = || {
            self.nonces.set(self.nonces.get() + 1);
            let mut nonce = Nonce::default();
            nonce[..8].copy_from_slice(&self.nonces.get().to_be_bytes());
            nonce
        };
        let cx = Context { now: self.now, unix: self.unix(), config: &self.config, nonce: &nonce };
        decide(&cx)
    }
}

fn config(turn: Option<Turn>) -> Config {
    let generous = Rate::new(1_000, 1_000.0);
    Config {
        calls: CallLimits {
            ring_timeout: RING_TIMEOUT,
            grace: GRACE,
            per_session_max: CALLS_MAX,
            unanswered_max: UNANSWERED_MAX,
            waiting_bytes_max: WAITING_BYTES_MAX,
            waiting_count_max: WAITING_COUNT_MAX,
            waiting_age_max: WAITING_AGE_MAX,
        },
        connection: ConnectionLimits {
            message_bytes_max: 65_536,
            register_timeout: Duration::from_secs(60),
            ping_after: Duration::from_secs(25),
            silence_timeout: Duration::from_secs(60),
            calls: generous,
            hangups: generous,
            candidates: generous,
            directory: generous,
            other: generous,
        },
        call_ids: CallIdKey::new(&[7; 32]),
        turn,
        replace_key: ReplacePolicy::Owner,
        key_bytes_max: 4_096,
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_turn(None)
    }

    pub(crate) fn with_turn(turn: Option<Turn>) -> Self {
        let now = Instant::from_millis(1_000_000);
        let nature =
            Nature { now, epoch: 1_767_225_600_000, config: config(turn), nonces: Cell::new(0) };
        let started = nature.unix();
        Self {
            nature,
            started,
            places: BTreeMap::new(),
            inboxes: Vec::new(),
            post: VecDeque::new(),
            post_is_held: false,
            reports: Vec::new(),
        }
    }

    /// Two clients, registered.
    pub(crate) fn pair() -> (Self, Device, Device) {
        let mut world = Self::new();
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        (world, alice, bob)
    }

    /// Two clients in a call that was answered, and the call's id.
    pub(crate) fn pair_in_a_call() -> (Self, Device, Device, String) {
        let (mut world, alice, bob) = Self::pair();
        let call = world.call(alice, bob);
        (world, alice, bob, call)
    }

    /// A new connection registers, and REGISTERED is all that it is sent.
    #[track_caller]
    pub(crate) fn register(&mut self, client: &'static str) -> Device {
        let (device, received) = self.come_back(client);
        assert_eq!(received, [] as [String; 0], "beyond REGISTERED");
        device
    }

    /// A new connection registers. Also returns the messages after REGISTERED.
    #[track_caller]
    pub(crate) fn come_back(&mut self, client: &'static str) -> (Device, Vec<String>) {
        let (device, mut received) = self.send_register(client, &wire::register(client));
        assert_eq!(received.remove(0), wire::registered(client));
        (device, received)
    }

    /// A new connection sends this REGISTER. Also returns all messages that it is sent then.
    pub(crate) fn send_register(
        &mut self,
        client: &'static str,
        text: &str,
    ) -> (Device, Vec<String>) {
        let device = Device { client, connection: self.inboxes.len() };
        self.inboxes.push(Vec::new());
        let request = decode(text).unwrap();
        let ClientMessage::Register(registration) = request.message else { panic!("{text}") };
        self.attach(device, &registration, request.id);
        (device, self.received(device))
    }

    /// A new connection registers in dialect 2, and nothing follows REGISTERED.
    #[track_caller]
    pub(crate) fn register_in_two(&mut self, client: &'static str) -> Phone {
        let (phone, resumed, received) = self.come_back_in_two(client, "");
        assert_eq!((resumed, received), (false, vec![]), "beyond REGISTERED");
        phone
    }

    /// A new connection registers in dialect 2, with more fields. Also returns true if it resumed, and
    /// the messages after REGISTERED, without their numbers.
    #[track_caller]
    pub(crate) fn come_back_in_two(
        &mut self,
        client: &'static str,
        more: &str,
    ) -> (Phone, bool, Vec<String>) {
        let (device, mut received) =
            self.send_register(client, &wire::register_in_two(client, more));
        let registered = received.remove(0);
        assert_eq!(wire::field(&registered, "type"), "REGISTERED");
        assert!(!registered.contains("seq"), "REGISTERED has no number: {registered}");
        let token = wire::field(&registered, "resumeToken");
        let phone = Phone { device, token, seq: wire::last_seq(&received) };
        (phone, registered.contains(r#""resumed":true"#), wire::unnumbered(&received))
    }

    /// Comes back with the phone's token. Also returns true if it resumed, and the messages after
    /// REGISTERED.
    #[track_caller]
    pub(crate) fn resume(&mut self, phone: &Phone) -> (Phone, bool, Vec<String>) {
        let more = format!(r#","resumeToken":"{}","lastSeq":{}"#, phone.token, phone.seq);
        let (again, resumed, received) = self.come_back_in_two(phone.device.client, &more);
        let seq = if resumed { phone.seq.max(again.seq) } else { again.seq };
        (Phone { seq, ..again }, resumed, received)
    }

    /// Takes the messages to the phone, without their numbers.
    #[track_caller]
    pub(crate) fn receives(&mut self, phone: &mut Phone) -> Vec<String> {
        let received = self.received(phone.device);
        if !received.is_empty() {
            let first = received[..1].to_vec();
            assert_eq!(wire::last_seq(&first), phone.seq + 1, "a gap: {received:?}");
            phone.seq = wire::last_seq(&received);
        }
        wire::unnumbered(&received)
    }

    /// The phone acknowledges everything that it has.
    pub(crate) fn acknowledge(&mut self, phone: &Phone) {
        self.places.get_mut(&phone.device.id()).unwrap().session.acknowledge(phone.seq);
    }

    /// Draws a nonce that nobody uses, so that the next ids are others.
    pub(crate) fn nonce(&self) {
        self.nature.nonces.set(self.nature.nonces.get() + 1);
    }

    /// The number of messages that the client's session keeps.
    pub(crate) fn kept(&self, client: &str) -> usize {
        self.places[&ClientId::try_from(client).unwrap()].session.waiting_count()
    }

    fn attach(
        &mut self,
        device: Device,
        registration: &Registration<'_>,
        request_id: Option<Opaque<'_>>,
    ) {
        let (nature, started) = (&self.nature, self.started);
        let place = self.places.entry(device.id()).or_insert_with(|| Place {
            session: nature.with(|cx| Session::new(device.id(), started, cx)),
            attached: None,
        });
        place.attached = Some(device.connection);
        let outputs = nature.with(|cx| place.session.attach(cx, registration, request_id));
        self.carry_out(device.id(), outputs);
    }

    /// The connection is lost, and the server has noticed.
    pub(crate) fn lose(&mut self, device: Device) {
        self.detach(device, Departure::Lost);
    }

    /// The client closes with 1000.
    pub(crate) fn leave(&mut self, device: Device) {
        self.detach(device, Departure::Left);
    }

    fn detach(&mut self, device: Device, departure: Departure) {
        let place = self.places.get_mut(&device.id()).unwrap();
        assert_eq!(place.attached.take(), Some(device.connection));
        let outputs = self.nature.with(|cx| place.session.detach(cx, departure));
        self.carry_out(device.id(), outputs);
    }

    /// The client sends a message about a call.
    #[track_caller]
    pub(crate) fn send(&mut self, device: Device, text: &str) {
        let request = decode(text).unwrap();
        let ClientMessage::Call(message) = request.message else { panic!("not about a call") };
        self.handle_message(device, message, request.id);
    }

    fn handle_message(
        &mut self,
        device: Device,
        message: CallMessage<'_>,
        request_id: Option<Opaque<'_>>,
    ) {
        let place = self.places.get_mut(&device.id()).unwrap();
        assert_eq!(place.attached, Some(device.connection), "a connection that is no more speaks");
        let outputs = self.nature.with(|cx| place.session.handle_message(cx, message, request_id));
        self.carry_out(device.id(), outputs);
    }

    /// Takes the messages to the connection.
    pub(crate) fn received(&mut self, device: Device) -> Vec<String> {
        std::mem::take(&mut self.inboxes[device.connection])
    }

    /// Time passes, and every deadline in it is kept.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.nature.now + time;
        while let Some((deadline, client)) = self.next_deadline().filter(|next| next.0 <= end) {
            self.nature.now = self.nature.now.max(deadline);
            self.fire(&client);
        }
        self.nature.now = end;
    }

    fn next_deadline(&self) -> Option<(Instant, ClientId)> {
        let deadlines = self
            .places
            .iter()
            .filter_map(|(client, place)| Some((place.session.deadline()?, client.clone())));
        deadlines.min()
    }

    fn fire(&mut self, client: &ClientId) {
        let place = self.places.get_mut(client).unwrap();
        let outputs = self.nature.with(|cx| place.session.handle_timeout(cx));
        let next = place.session.deadline();
        assert!(
            place.session.is_over() || next.is_none_or(|next| next > self.nature.now),
            "a deadline that came is over"
        );
        self.carry_out(client.clone(), outputs);
    }

    /// Time passes, and no deadline is looked at.
    pub(crate) fn pass_unattended(&mut self, time: Duration) {
        self.nature.now = self.nature.now + time;
    }

    /// The deadlines of these clients are looked at, in this order.
    pub(crate) fn fire_in_order(&mut self, clients: [&str; 2]) {
        clients.into_iter().for_each(|client| self.fire(&id(client)));
    }

    /// Somebody sets the wall clock back.
    pub(crate) fn set_clock_back(&mut self, time: Duration) {
        self.nature.epoch -= u64::try_from(time.as_millis()).unwrap();
    }

    /// kill -9, and a new process with the same key.
    pub(crate) fn restart(&mut self) {
        self.pass(MOMENT);
        self.places.clear();
        self.post.clear();
        self.started = self.nature.unix();
        self.pass(MOMENT);
    }

    /// The same, but the key was lost.
    pub(crate) fn restart_with_another_key(&mut self) {
        self.restart();
        self.nature.config.call_ids = CallIdKey::new(&[8; 32]);
    }

    /// From now on mail stays in the post until [`World::deliver_post`].
    pub(crate) fn hold_post(&mut self) {
        self.post_is_held = true;
    }

    pub(crate) fn deliver_post(&mut self) {
        self.post_is_held = false;
        for (letter, outcome) in std::mem::take(&mut self.reports) {
            self.report(&letter, outcome);
        }
        self.deliver_mail();
    }

    /// Delivers what one client has sent another, ahead of everything else.
    pub(crate) fn deliver_from(&mut self, sender: Device) {
        let of_sender = |letter: &Letter| letter.from == sender.id();
        let (now, later): (VecDeque<_>, _) = self.post.drain(..).partition(of_sender);
        self.post = later;
        for letter in now {
            self.deliver(&letter);
        }
    }

    /// Delivers what is in the post, and what that leads to, always the newest first.
    pub(crate) fn deliver_newest_first(&mut self) {
        while let Some(letter) = self.post.pop_back() {
            self.deliver(&letter);
        }
        self.post_is_held = false;
    }

    /// The connection that a client registered last.
    pub(crate) fn last(&self, client: &'static str) -> Device {
        let connection = self.places[&id(client)].attached.unwrap();
        Device { client, connection }
    }

    /// Delivers the post. Its outcomes are reported by [`World::deliver_post`].
    pub(crate) fn deliver_but_report_later(&mut self) {
        for letter in std::mem::take(&mut self.post) {
            let outcome = self.receive(&letter);
            self.reports.push((letter, outcome));
        }
    }

    /// Hands mail to a session as if `from` had sent it.
    pub(crate) fn forge_mail(
        &mut self,
        from: &'static str,
        to: Device,
        mail: &securecall_core::Mail<'_>,
    ) -> Outcome {
        let place = self.places.get_mut(&to.id()).unwrap();
        let receipt = self.nature.with(|cx| place.session.handle_mail(cx, &id(from), mail));
        let outcome = receipt.outcome;
        self.carry_out(to.id(), receipt.outputs);
        outcome
    }

    /// The number of calls in a client's session; `None` without a session.
    pub(crate) fn records(&self, client: &str) -> Option<usize> {
        self.places.get(client).map(|place| place.session.calls())
    }

    /// Returns true if no session is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn carry_out(&mut self, client: ClientId, outputs: Outputs<'_>) {
        for output in outputs {
            let mut text = String::new();
            match output {
                Output::Send(reply) => reply.encode(&mut text),
                Output::SendText(waited) => text = waited.into(),
                Output::Mail { to, mail, request_id } => {
                    let (from, mail) = (client.clone(), mail.into_owned());
                    let request_id = request_id.map(Opaque::into_owned);
                    self.post.push_back(Letter { from, to, mail, request_id });
                    continue;
                }
            }
            let attached = self.places[&client].attached;
            let connection = attached.expect("a client that is away is sent nothing");
            self.inboxes[connection].push(text);
        }
        if !self.post_is_held {
            self.deliver_mail();
        }
        self.drop_if_over(&client);
    }

    fn deliver_mail(&mut self) {
        while let Some(letter) = self.post.pop_front() {
            self.deliver(&letter);
        }
    }

    fn deliver(&mut self, letter: &Letter) {
        let outcome = self.receive(letter);
        self.report(letter, outcome);
    }

    fn report(&mut self, letter: &Letter, outcome: Outcome) {
        let mail = letter.mail.as_mail();
        if !delivery::needs_report(&mail, outcome) {
            return;
        }
        if let Some(sender) = self.places.get_mut(&letter.from) {
            let request_id = letter.request_id.as_ref().map(OwnedOpaque::as_opaque);
            let outputs =
                self.nature.with(|cx| sender.session.handle_outcome(cx, mail, outcome, request_id));
            self.carry_out(letter.from.clone(), outputs);
        }
    }

    fn receive(&mut self, letter: &Letter) -> Outcome {
        let Letter { from, to, mail, .. } = letter;
        let mail = mail.as_mail();
        let Some(place) = self.places.get_mut(to) else { return self.receive_for_absent(letter) };
        let client = match place.attached {
            Some(_) => Receiver::Connected(|| false),
            None => Receiver::Away,
        };
        if let Some(refusal) = delivery::refusal(&mail, client, || false) {
            return refusal;
        }
        let receipt = self.nature.with(|cx| place.session.handle_mail(cx, from, &mail));
        self.carry_out(to.clone(), receipt.outputs);
        receipt.outcome
    }

    fn receive_for_absent(&mut self, Letter { from, to, mail, .. }: &Letter) -> Outcome {
        let expected = self.nature.with(|cx| {
            delivery::deliver_to_absent(cx, from, to, &mail.as_mail(), self.started, false)
        });
        match expected {
            Ok(session) => {
                self.places.insert(to.clone(), Place { session, attached: None });
                Outcome::Delivered
            }
            Err(outcome) => outcome,
        }
    }

    fn drop_if_over(&mut self, client: &ClientId) {
        if self.places.get(client).is_some_and(|place| place.session.is_over()) {
            self.places.remove(client);
        }
    }
}

/// Calls, in one line each.
impl World {
    /// Rings; returns the call's id, which the callee was sent.
    #[track_caller]
    pub(crate) fn ring(&mut self, caller: Device, callee: Device) -> String {
        self.send(caller, &wire::initiate(callee.client, "offer"));
        let received = self.received(callee);
        let [incoming] = received.as_slice() else { panic!("not one INCOMING_CALL: {received:?}") };
        let call = wire::field(incoming, "callId");
        assert_eq!(*incoming, wire::incoming(&call, caller.client, "offer"));
        call
    }

    /// Rings and answers; returns the call's id, which both were sent.
    #[track_caller]
    pub(crate) fn call(&mut self, caller: Device, callee: Device) -> String {
        let call = self.ring(caller, callee);
        self.send(callee, &wire::accept(&call, "answer"));
        assert_eq!(self.received(caller), [wire::accepted(&call, "answer")]);
        call
    }

    /// Both ends can still reach each other.
    #[track_caller]
    pub(crate) fn assert_talks(&mut self, call: &str, one: Device, other: Device) {
        for (from, to) in [(one, other), (other, one)] {
            let candidate = wire::candidate(call, "still-there");
            self.send(from, &candidate);
            assert_eq!(self.received(to), [candidate], "from {} to {}", from.client, to.client);
            assert_eq!(self.received(from), [] as [String; 0]);
        }
    }
}

/// Calls of clients of dialect 2.
impl World {
    pub(crate) fn pair_in_two() -> (Self, Phone, Phone) {
        let mut world = Self::new();
        let (alice, bob) = (world.register_in_two("alice"), world.register_in_two("bob"));
        (world, alice, bob)
    }

    /// Rings; returns the call's id, which both were sent.
    #[track_caller]
    pub(crate) fn ring_in_two(&mut self, caller: &mut Phone, callee: &mut Phone) -> String {
        let target = callee.device.client;
        self.send(caller.device, &wire::initiate(target, "offer"));
        let received = self.receives(caller);
        let call = wire::field(&received[0], "callId");
        assert_eq!(received, [wire::initiated(&call, target)]);
        let incoming = wire::incoming(&call, caller.device.client, "offer");
        assert_eq!(self.receives(callee), [incoming]);
        call
    }

    /// Rings and answers; returns the call's id, which both were sent.
    #[track_caller]
    pub(crate) fn call_in_two(&mut self, caller: &mut Phone, callee: &mut Phone) -> String {
        let call = self.ring_in_two(caller, callee);
        self.send(callee.device, &wire::accept(&call, "answer"));
        assert_eq!(self.receives(caller), [wire::accepted(&call, "answer")]);
        call
    }

    /// A caller of dialect 2 rings a callee of dialect 1; returns the call's id, which both were sent.
    #[track_caller]
    pub(crate) fn ring_one_from_two(&mut self, caller: &mut Phone, callee: Device) -> String {
        self.send(caller.device, &wire::initiate(callee.client, "offer"));
        let received = self.receives(caller);
        let call = wire::field(&received[0], "callId");
        assert_eq!(received, [wire::initiated(&call, callee.client)]);
        let incoming = wire::incoming(&call, caller.device.client, "offer");
        assert_eq!(self.received(callee), [incoming]);
        call
    }

    pub(crate) fn pair_in_a_call_in_two() -> (Self, Phone, Phone, String) {
        let (mut world, mut alice, mut bob) = Self::pair_in_two();
        let call = world.call_in_two(&mut alice, &mut bob);
        (world, alice, bob, call)
    }

    #[track_caller]
    pub(crate) fn assert_talks_in_two(&mut self, call: &str, one: &mut Phone, other: &mut Phone) {
        for back in [false, true] {
            let (from, to) = if back { (&mut *other, &mut *one) } else { (&mut *one, &mut *other) };
            let candidate = wire::candidate(call, "still-there");
            self.send(from.device, &candidate);
            assert_eq!(self.receives(to), [candidate]);
            assert_eq!(self.receives(from), [] as [String; 0]);
        }
    }
}

/// No messages.
pub(crate) const SILENCE: [String; 0] = [];
