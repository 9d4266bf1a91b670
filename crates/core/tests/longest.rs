//! Nothing that is sent is longer than what is taken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use securecall_core::directory::ReplacePolicy;
use securecall_core::envelope::{KEY_ENVELOPE_BYTES_MAX, OPAQUE_BYTES_MIN};
use securecall_core::{
    CallIdKey, CallLimits, Config, Connection, ConnectionLimits, Context, Departure, Instant,
    NameKey, Nonce, Output, Outputs, Rate, Session, Step, Turn, TurnRest, UnixTime,
};
use securecall_protocol::{
    ClientId, ClientMessage, Opaque, Reply, ServerMessage, decode, request_id_of,
};
use serde_json::Value;
use zeroize::Zeroizing;

const KEY_BYTES_MAX: usize = 500;

fn config(message_bytes_max: usize, turn_urls: usize) -> Config {
    let generous = Rate::new(1_000_000, 1e6);
    let urls: Vec<String> =
        (0..turn_urls).map(|n| format!("turns:relay-{n}.example.org:443?transport=tcp")).collect();
    let rest = || TurnRest::new(&urls, Zeroizing::new(b"secret".to_vec()), DAY);
    Config {
        calls: CallLimits {
            ring_timeout: Duration::from_secs(60),
            grace: Duration::from_secs(30),
            per_session_max: 16,
            unanswered_max: 8,
            waiting_bytes_max: 1 << 24,
            waiting_count_max: 1_000,
            waiting_age_max: Duration::from_secs(120),
        },
        connection: ConnectionLimits {
            message_bytes_max,
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
        turn: (turn_urls > 0).then(|| Turn::new(rest(), NameKey::new(&[7; 32]))),
        replace_key: ReplacePolicy::Owner,
        key_bytes_max: KEY_BYTES_MAX,
    }
}

/// Two clients with the longest ids there are, and everything that they were sent.
struct Two {
    config: Config,
    nonces: Cell<u64>,
    ends: [End; 2],
    sent: Vec<String>,
}

struct End {
    id: ClientId,
    connection: Connection,
    session: Session,
}

const DAY: Duration = Duration::from_secs(86_400);
const NOW: Instant = Instant::from_millis(1_000_000);

impl Two {
    fn new(config: Config, dialect_two: bool) -> Self {
        let ends = ["a", "b"].map(|letter| {
            let id = ClientId::try_from(letter.repeat(ClientId::LENGTH_MAX).as_str()).unwrap();
            let cx = Context { now: NOW, unix: UNIX, config: &config, nonce: &|| Nonce::default() };
            let session = Session::new(id.clone(), UNIX, &cx);
            End { id, connection: Connection::new(NOW), session }
        });
        let mut two = Self { config, nonces: Cell::new(0), ends, sent: Vec::new() };
        for at in [0, 1] {
            let id = two.ends[at].id.as_str();
            let protocol = if dialect_two { r#","protocol":2"# } else { "" };
            let register = format!(
                r#"{{"type":"REGISTER","payload":{{"clientId":"{id}"{protocol}}},"id":{LONGEST_ID}}}"#
            );
            assert!(two.send(at, &register));
        }
        two
    }

    /// Sends a client's message. Returns true if it was let through.
    fn send(&mut self, at: usize, text: &str) -> bool {
        let nonces = &self.nonces;
        let nonce = || {
            nonces.set(nonces.get() + 1);
            let mut nonce = Nonce::default();
            nonce[..8].copy_from_slice(&nonces.get().to_be_bytes());
            nonce
        };
        let Self { config, ends, sent, .. } = self;
        let cx = Context { now: NOW, unix: UNIX, config, nonce: &nonce };
        let key: Opaque<'_>;
        let outputs: Outputs<'_> = match ends[at].connection.handle_text(&cx, text) {
            Step::Reply(Reply { message, reply_to, .. }) => {
                let refused = matches!(message, ServerMessage::Error { .. });
                let reply = ends[at].session.reply(&cx, message, reply_to);
                carry_out(&cx, ends, at, reply.into_iter().collect(), sent);
                return !refused;
            }
            Step::Register { registration, request_id } => {
                let End { id, connection, session } = &mut ends[at];
                connection.registered(id.clone(), registration.dialect);
                session.attach(&cx, &registration, request_id)
            }
            Step::Ack { .. } => Outputs::new(),
            Step::Call { message, request_id } => {
                ends[at].session.handle_message(&cx, message, request_id)
            }
            Step::PkdRegister { client_id, public_key, request_id } => {
                key = public_key;
                let result = ServerMessage::PkdResult { client_id, public_key: Some(key) };
                ends[at].session.reply(&cx, result, request_id).into_iter().collect()
            }
            Step::PkdLookup { client_id, request_id } => {
                let result = ServerMessage::PkdResult { client_id, public_key: None };
                ends[at].session.reply(&cx, result, request_id).into_iter().collect()
            }
        };
        carry_out(&cx, ends, at, outputs, sent);
        true
    }

    /// The client's connection is lost, and it registers anew: everything comes again.
    fn come_back(&mut self, at: usize, dialect_two: bool) {
        let Self { config, ends, .. } = self;
        let cx = Context { now: NOW, unix: UNIX, config, nonce: &|| Nonce::default() };
        let _ = ends[at].session.detach(&cx, Departure::Lost);
        ends[at].connection = Connection::new(NOW);
        let id = self.ends[at].id.as_str();
        let protocol = if dialect_two { r#","protocol":2"# } else { "" };
        let register =
            format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{id}"{protocol}}}}}"#);
        assert!(self.send(at, &register));
    }

    fn last_call_id(&self) -> String {
        let call_id = |text: &String| {
            let message: Value = serde_json::from_str(text).unwrap();
            message["payload"]["callId"].as_str().map(String::from)
        };
        self.sent.iter().rev().find_map(call_id).unwrap()
    }

    fn longest(&self) -> usize {
        self.sent.iter().map(String::len).max().unwrap()
    }
}

fn carry_out(
    cx: &Context<'_>,
    ends: &mut [End; 2],
    at: usize,
    outputs: Outputs<'_>,
    sent: &mut Vec<String>,
) {
    for output in outputs {
        match output {
            Output::Send(reply) => {
                // As far on in its numbers as a stream can be.
                let seq = reply.seq.map(|_| u64::MAX);
                let mut text = String::new();
                Reply { seq, ..reply }.encode(&mut text);
                sent.push(text);
            }
            Output::SendText(text) => sent.push(text.into()),
            Output::Mail { mail, .. } => {
                let from = ends[at].id.clone();
                let receipt = ends[1 - at].session.handle_mail(cx, &from, &mail);
                carry_out(cx, ends, 1 - at, receipt.outputs, sent);
            }
        }
    }
}

const UNIX: UnixTime = UnixTime::from_millis(1_767_225_600_000);

/// The longest `id` of a request: each character takes twelve bytes.
const LONGEST_ID: &str = concat!(
    "\"",
    r"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    r"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    r"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    r"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    r"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    r"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    r"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    r"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    "\""
);

fn message(kind: &str, fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(key, value)| format!(r#""{key}":"{value}""#)).collect();
    format!(r#"{{"type":"{kind}","payload":{{{}}},"id":{LONGEST_ID}}}"#, fields.join(","))
}

#[test]
fn the_longest_id_is_one() {
    let text = message("HEARTBEAT", &[]);
    assert_eq!(request_id_of(&text).unwrap().as_json(), LONGEST_ID);
    assert_eq!(decode(&text).unwrap().message, ClientMessage::Heartbeat);
}

#[test]
fn by_default_there_is_as_much_room_as_the_documentation_says() {
    assert_eq!(config(65_536, 0).opaque_bytes_max(), 65_115);
}

/// Sends a client's message of each kind, with a field of this length. Returns whether the fields
/// of calls were let through.
fn send_everything(two: &mut Two, dialect_two: bool, bytes: usize) -> bool {
    let long = "x".repeat(bytes);
    let [alice, bob] = [0, 1].map(|at| two.ends[at].id.as_str().to_string());
    let let_through =
        two.send(0, &message("CALL_INITIATE", &[("targetId", &bob), ("sdpOffer", &long)]));
    if !let_through {
        assert!(two.send(0, &message("CALL_INITIATE", &[("targetId", &bob), ("sdpOffer", "v")])));
    }
    two.come_back(1, dialect_two);
    let call = two.last_call_id();
    two.send(1, &message("CALL_RINGING", &[("callId", &call)]));
    two.send(1, &message("CALL_ACCEPT", &[("callId", &call), ("sdpAnswer", &long)]));
    two.send(1, &message("CALL_ACCEPT", &[("callId", &call), ("sdpAnswer", "v")]));
    for at in [0, 1] {
        two.send(at, &message("ICE_CANDIDATE", &[("callId", &call), ("candidate", &long)]));
        two.send(at, &message("CALL_SIGNAL", &[("callId", &call), ("data", &long)]));
    }
    let key = "k".repeat(bytes.min(KEY_BYTES_MAX));
    two.send(0, &message("PKD_REGISTER", &[("clientId", &alice), ("publicKey", &key)]));
    two.send(0, &message("PKD_REGISTER", &[("clientId", &alice), ("publicKey", &long)]));
    two.send(0, &message("PKD_LOOKUP", &[("clientId", &bob)]));
    two.send(0, &message("CALL_REJECT", &[("callId", &call)]));
    two.send(1, &message("CALL_END", &[("callId", &call)]));
    for kind in ["TURN_CREDENTIALS", "HEARTBEAT", "NOTHING"] {
        two.send(0, &message(kind, &[]));
    }
    let_through
}

#[test]
fn the_longest_field_that_fits_fills_a_message_and_one_byte_more_is_refused() {
    for (message_bytes_max, turn_urls) in [(65_536, 0), (65_536, 2), (4_096, 3)] {
        let config = || config(message_bytes_max, turn_urls);
        let longest = config().opaque_bytes_max();
        let mut two = Two::new(config(), true);
        assert!(send_everything(&mut two, true, longest));
        // Times of expiry have fewer digits than they may have, and some names are left out.
        let nearly = message_bytes_max - 48..=message_bytes_max;
        assert!(nearly.contains(&two.longest()), "as long as may be: {}", two.longest());
        let mut two = Two::new(config(), true);
        assert!(!send_everything(&mut two, true, longest + 1));
        let refusals = two.sent.iter().filter(|text| text.contains("too long"));
        let refused = format!("is too long: at most {longest} bytes of JSON in its quotes");
        let fields = ["sdpOffer", "sdpAnswer", "candidate", "data"];
        let mut named = 0;
        for refusal in refusals {
            named += fields
                .iter()
                .filter(|field| refusal.contains(&format!("{field} {refused}")))
                .count();
        }
        assert_eq!(named, 6, "each field, and those of a running call at both ends");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_sent_that_is_longer_than_what_is_taken(
        message_bytes_max in prop_oneof![2_048usize..6_000, Just(65_536)],
        turn_urls in 0usize..12,
        dialect_two in any::<bool>(),
        beyond in -2_000i64..4_000,
    ) {
        let config = config(message_bytes_max, turn_urls);
        let longest = config.opaque_bytes_max();
        // What a server refuses to start with.
        prop_assume!(longest >= OPAQUE_BYTES_MIN);
        prop_assume!(KEY_BYTES_MAX + KEY_ENVELOPE_BYTES_MAX <= message_bytes_max);
        let bytes = usize::try_from(longest as i64 + beyond).unwrap_or(0);
        let mut two = Two::new(config, dialect_two);
        let fits = send_everything(&mut two, dialect_two, bytes);
        prop_assert_eq!(fits, bytes <= longest);
        prop_assert!(two.longest() <= message_bytes_max, "{} bytes", two.longest());
    }
}
