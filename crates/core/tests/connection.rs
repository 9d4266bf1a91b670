//! The rules of a connection: what it may ask before and after it registered, and when it is over.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use securecall_core::directory::ReplacePolicy;
use securecall_core::{
    CallIdKey, CallLimits, Config, Connection, ConnectionLimits, Context, Due, Instant, NameKey,
    Nonce, Rate, Step, Turn, TurnRest, UnixTime,
};
use securecall_protocol::{ClientId, CloseCode, Dialect, ServerMessage};
use zeroize::Zeroizing;

const START: Instant = Instant::from_millis(1_000_000);
const KEY_BYTES_MAX: usize = 20;

const REGISTER: &str = r#"{"type":"REGISTER","payload":{"clientId":"alice"}}"#;
const HEARTBEAT: &str = r#"{"type":"HEARTBEAT","payload":{}}"#;
const CREDENTIALS: &str = r#"{"type":"TURN_CREDENTIALS","payload":{}}"#;
const LOOKUP: &str = r#"{"type":"PKD_LOOKUP","payload":{"clientId":"bob"}}"#;
const END: &str = r#"{"type":"CALL_END","payload":{"callId":"c"}}"#;
const ACCEPT: &str = r#"{"type":"CALL_ACCEPT","payload":{"callId":"c","sdpAnswer":"a"}}"#;
const REJECT: &str = r#"{"type":"CALL_REJECT","payload":{"callId":"c"}}"#;
const CANDIDATE: &str = r#"{"type":"ICE_CANDIDATE","payload":{"callId":"c","candidate":"x"}}"#;

fn config() -> Config {
    Config {
        calls: CallLimits {
            ring_timeout: Duration::from_secs(60),
            grace: Duration::from_secs(30),
            per_session_max: 16,
            unanswered_max: 8,
            waiting_bytes_max: 1 << 18,
            waiting_count_max: 1_000,
            waiting_age_max: Duration::from_secs(120),
        },
        connection: ConnectionLimits {
            message_bytes_max: 65_536,
            register_timeout: Duration::from_secs(60),
            ping_after: Duration::from_secs(25),
            silence_timeout: Duration::from_secs(60),
            calls: Rate::new(2, 1.0),
            hangups: Rate::new(3, 2.0),
            candidates: Rate::new(100, 50.0),
            directory: Rate::new(2, 1.0),
            other: Rate::new(4, 1.0),
        },
        call_ids: CallIdKey::new(&[7; 32]),
        turn: None,
        replace_key: ReplacePolicy::Owner,
        key_bytes_max: KEY_BYTES_MAX,
    }
}

fn at<R>(config: &Config, now: Instant, decide: impl FnOnce(&Context<'_>) -> R) -> R {
    let unix = UnixTime::from_millis(1_767_225_600_000 + now.as_millis());
    decide(&Context { now, unix, config, nonce: &|| Nonce::default() })
}

fn step_for<'t>(connection: &mut Connection, text: &'t str) -> Step<'t> {
    at(&config(), START, |cx| connection.handle_text(cx, text))
}

fn registered() -> Connection {
    let mut connection = Connection::new(START);
    connection.registered(ClientId::try_from("alice").unwrap(), Dialect::One);
    connection
}

fn registered_in_two() -> Connection {
    let mut connection = Connection::new(START);
    connection.registered(ClientId::try_from("alice").unwrap(), Dialect::Two);
    connection
}

#[track_caller]
fn assert_error(step: &Step<'_>, expected: &str) {
    let Step::Reply(reply) = step else { panic!("no reply: {step:?}") };
    let ServerMessage::Error { code, .. } = reply.message else { panic!("no error: {step:?}") };
    assert_eq!(code.as_str(), expected);
}

/// The words of an error.
#[track_caller]
fn words<'s>(step: &'s Step<'_>) -> &'s str {
    let Step::Reply(reply) = step else { panic!("no reply: {step:?}") };
    let ServerMessage::Error { message, .. } = &reply.message else { panic!("no error: {step:?}") };
    message
}

#[test]
fn before_register_nothing_else_is_done() {
    let mut connection = Connection::new(START);
    for request in [HEARTBEAT, CREDENTIALS, LOOKUP, END, CANDIDATE] {
        assert_error(&step_for(&mut connection, request), "NOT_REGISTERED");
    }
    assert!(matches!(step_for(&mut connection, REGISTER), Step::Register { .. }));
}

#[test]
fn a_connection_registers_one_id_and_may_register_it_again() {
    let mut connection = registered();
    assert!(matches!(step_for(&mut connection, REGISTER), Step::Register { .. }));
    let other = REGISTER.replace("alice", "bob");
    assert_error(&step_for(&mut connection, &other), "INVALID_STATE");
}

#[test]
fn an_error_is_answered_and_does_not_end_the_connection() {
    let mut connection = registered();
    for text in ["", "null", "[]", r#"{"type":"__proto__","payload":{}}"#] {
        assert_error(&step_for(&mut connection, text), "INVALID_MESSAGE");
    }
    assert!(matches!(step_for(&mut connection, END), Step::Call { .. }));
}

#[test]
fn a_client_sets_the_key_of_its_own_id_only() {
    let own = r#"{"type":"PKD_REGISTER","payload":{"clientId":"alice","publicKey":"k"}}"#;
    assert!(matches!(step_for(&mut registered(), own), Step::PkdRegister { .. }));
    assert_error(&step_for(&mut registered(), &own.replace("alice", "bob")), "UNAUTHORIZED");
}

#[test]
fn a_key_is_as_long_as_it_may_be_and_no_longer() {
    let key = |bytes| {
        let key = "k".repeat(bytes);
        format!(r#"{{"type":"PKD_REGISTER","payload":{{"clientId":"alice","publicKey":"{key}"}}}}"#)
    };
    let longest = key(KEY_BYTES_MAX);
    assert!(matches!(step_for(&mut registered(), &longest), Step::PkdRegister { .. }));
    let longer = key(KEY_BYTES_MAX + 1);
    let too_long = step_for(&mut registered(), &longer);
    assert_error(&too_long, "INVALID_MESSAGE");
    assert_eq!(words(&too_long), "publicKey is too long: at most 20 bytes of JSON in its quotes");
}

#[test]
fn relay_credentials_can_be_refreshed() {
    let mut config = config();
    let (urls, hour) = (["turn:turn.example".to_string()], Duration::from_secs(3_600));
    let rest = TurnRest::new(&urls, Zeroizing::new("secret".into()), hour);
    config.turn = Some(Turn::new(rest, NameKey::new(&[7; 32])));
    let mut connection = registered();
    let step = at(&config, START, |cx| connection.handle_text(cx, CREDENTIALS));
    let Step::Reply(reply) = step else { panic!("no reply: {step:?}") };
    let ServerMessage::TurnCredentials { ice_servers, ttl_seconds } = reply.message else {
        panic!("no credentials")
    };
    assert!(ice_servers.contains(r#""username":"1767230200:"#), "{ice_servers}");
    assert_eq!(ttl_seconds, 3_600);
}

#[test]
fn without_a_relay_there_are_no_credentials() {
    let Step::Reply(reply) = step_for(&mut registered(), CREDENTIALS) else { panic!("no reply") };
    let none = ServerMessage::TurnCredentials { ice_servers: "[]".into(), ttl_seconds: 0 };
    assert_eq!(reply.message, none);
}

#[test]
fn an_answer_names_the_request_even_when_it_is_refused() {
    let request = r#"{"type":"HEARTBEAT","payload":{},"id":"h-1"}"#;
    for mut connection in [Connection::new(START), registered()] {
        let Step::Reply(reply) = step_for(&mut connection, request) else { panic!("no reply") };
        assert_eq!(reply.reply_to.unwrap().as_json(), r#""h-1""#);
    }
}

#[test]
fn a_message_that_cannot_be_read_is_refused_by_its_name() {
    for text in [r#"{"type":"PAUSE","payload":{},"id":"7"}"#, r#"{"id":"7"}"#] {
        for mut connection in [Connection::new(START), registered(), registered_in_two()] {
            let step = step_for(&mut connection, text);
            assert_error(&step, "INVALID_MESSAGE");
            let Step::Reply(reply) = step else { panic!("no reply") };
            assert_eq!(reply.reply_to.unwrap().as_json(), r#""7""#);
        }
    }
}

#[test]
fn an_id_that_is_not_valid_is_an_unknown_field_in_dialect_1_and_refused_in_dialect_2() {
    let request = r#"{"type":"HEARTBEAT","payload":{},"id":{"of":"mine"}}"#;
    let Step::Reply(reply) = step_for(&mut registered(), request) else { panic!("no reply") };
    assert_eq!((reply.message, reply.reply_to), (ServerMessage::HeartbeatAck, None));
    assert_error(&step_for(&mut registered_in_two(), request), "INVALID_MESSAGE");
}

#[test]
fn each_class_of_message_has_a_limit_of_its_own() {
    let mut connection = registered();
    for (request, burst) in [(ACCEPT, 2), (END, 3), (LOOKUP, 2), (HEARTBEAT, 4), (CANDIDATE, 100)] {
        for _ in 0..burst {
            let step = step_for(&mut connection, request);
            let refused = matches!(
                &step,
                Step::Reply(reply) if matches!(reply.message, ServerMessage::Error { .. })
            );
            assert!(!refused, "{request}: {step:?}");
        }
        assert_error(&step_for(&mut connection, request), "RATE_LIMITED");
    }
}

#[test]
fn hanging_up_takes_nothing_from_what_begins_calls_nor_the_other_way() {
    let mut connection = registered();
    let allowed = |step: Step<'_>| matches!(step, Step::Call { .. });
    for request in [REJECT, END, REJECT] {
        assert!(allowed(step_for(&mut connection, request)));
    }
    assert_error(&step_for(&mut connection, REJECT), "RATE_LIMITED");
    for _ in 0..2 {
        assert!(allowed(step_for(&mut connection, ACCEPT)));
    }
    assert_error(&step_for(&mut connection, ACCEPT), "RATE_LIMITED");
    let soon = START + Duration::from_millis(500);
    let config = config();
    assert!(allowed(at(&config, soon, |cx| connection.handle_text(cx, END))));
    assert_error(&at(&config, soon, |cx| connection.handle_text(cx, ACCEPT)), "RATE_LIMITED");
}

#[test]
fn call_ringing_takes_nothing_from_the_rate_of_beginning_or_ending_calls() {
    let mut connection = registered_in_two();
    let ringing = r#"{"type":"CALL_RINGING","payload":{"callId":"c"}}"#;
    for _ in 0..50 {
        assert!(matches!(step_for(&mut connection, ringing), Step::Call { .. }));
    }
    for request in [ACCEPT, END] {
        assert!(matches!(step_for(&mut connection, request), Step::Call { .. }));
    }
}

#[test]
fn malformed_messages_are_limited_as_well() {
    let mut connection = registered();
    for _ in 0..4 {
        assert_error(&step_for(&mut connection, "null"), "INVALID_MESSAGE");
    }
    assert_error(&step_for(&mut connection, "null"), "RATE_LIMITED");
}

#[test]
fn what_dialect_2_has_added_is_unknown_to_dialect_1() {
    let ack = r#"{"type":"ACK","payload":{"seq":1}}"#;
    let ringing = r#"{"type":"CALL_RINGING","payload":{"callId":"c"}}"#;
    let signal = r#"{"type":"CALL_SIGNAL","payload":{"callId":"c","data":"d"}}"#;
    for request in [ack, ringing, signal] {
        assert_error(&step_for(&mut registered(), request), "INVALID_MESSAGE");
        assert_error(&step_for(&mut Connection::new(START), request), "NOT_REGISTERED");
    }
    let in_two = &mut registered_in_two();
    assert_eq!(step_for(in_two, ack), Step::Ack { seq: 1 });
    assert!(matches!(step_for(in_two, ringing), Step::Call { .. }));
    assert!(matches!(step_for(in_two, signal), Step::Call { .. }));
}

#[test]
fn a_client_over_its_rate_learns_when_to_try_again() {
    let mut connection = registered_in_two();
    while !matches!(step_for(&mut connection, LOOKUP), Step::Reply(_)) {}
    let Step::Reply(reply) = step_for(&mut connection, LOOKUP) else { panic!("no reply") };
    let ServerMessage::Error { retry_after_ms, .. } = reply.message else { panic!("no error") };
    let wait = Duration::from_millis(retry_after_ms.unwrap());
    let (config, too_early) = (config(), START + (wait - Duration::from_millis(1)));
    let step = at(&config, too_early, |cx| connection.handle_text(cx, LOOKUP));
    assert_error(&step, "RATE_LIMITED");
    let step = at(&config, START + wait, |cx| connection.handle_text(cx, LOOKUP));
    assert!(matches!(step, Step::PkdLookup { .. }), "{step:?}");
}

#[test]
fn every_message_that_a_peer_causes_may_be_acknowledged() {
    let mut connection = registered_in_two();
    for seq in 0..100 {
        let text = format!(r#"{{"type":"ACK","payload":{{"seq":{seq}}}}}"#);
        assert!(matches!(step_for(&mut connection, &text), Step::Ack { .. }));
        assert!(matches!(step_for(&mut connection, CANDIDATE), Step::Call { .. }));
    }
    assert_error(
        &step_for(&mut connection, r#"{"type":"ACK","payload":{"seq":1}}"#),
        "RATE_LIMITED",
    );
}

#[test]
fn a_connection_that_does_not_register_in_time_is_closed() {
    let config = config();
    let mut connection = Connection::new(START);
    let mut now = START;
    for _ in 0..59 {
        now = now + Duration::from_secs(1);
        connection.heard(now);
        let due = at(&config, now, |cx| connection.handle_timeout(cx));
        assert!(!matches!(due, Due::Close(_)), "after {:?}", now.since(START));
    }
    now = now + Duration::from_secs(1);
    connection.heard(now);
    let due = at(&config, now, |cx| connection.handle_timeout(cx));
    assert_eq!(due, Due::Close(CloseCode::RegisterTimeout));
}

/// Runs a connection with a timer as the driver has it, which is set anew only when it fires or for
/// an earlier deadline, until it closes or the time is over. `frames` is called for each ping and
/// returns when frames of the client arrive because of it. Returns what was due, in seconds.
fn fire(
    config: &Config,
    until_secs: u64,
    mut frames: impl FnMut(Instant) -> Vec<Instant>,
) -> Vec<(f64, Due)> {
    let mut connection = registered();
    let (mut fired, mut arriving) = (Vec::new(), Vec::new());
    let mut armed = connection.deadline(&config.connection);
    while armed.since(START).as_secs() < until_secs {
        arriving.retain(|&arrival| {
            if arrival < armed {
                connection.heard(arrival);
            }
            arrival >= armed
        });
        let due = at(config, armed, |cx| connection.handle_timeout(cx));
        match due {
            Due::Nothing => {}
            Due::Ping => arriving.extend(frames(armed)),
            Due::Close(_) => {
                fired.push((armed.since(START).as_secs_f64(), due));
                break;
            }
        }
        if due == Due::Ping {
            fired.push((armed.since(START).as_secs_f64(), due));
        }
        armed = connection.deadline(&config.connection);
    }
    fired
}

fn seconds(fired: &[(f64, Due)]) -> Vec<f64> {
    fired.iter().map(|(second, _)| *second).collect()
}

#[test]
fn a_silent_client_is_pinged_a_second_time_before_it_is_given_up() {
    let fired = fire(&config(), 1_000, |_| Vec::new());
    let expected = [(25.0, Due::Ping), (42.5, Due::Ping), (60.0, Due::Close(CloseCode::Silent))];
    assert_eq!(fired, expected);
}

#[test]
fn an_idle_client_that_answers_gets_a_ping_every_25_seconds() {
    let fired = fire(&config(), 130, |ping| vec![ping + Duration::from_millis(80)]);
    assert_eq!(seconds(&fired), [25.0, 50.0, 75.0, 100.0, 125.0]);
}

#[test]
fn a_client_whose_pong_leaves_only_with_the_next_ping_stays() {
    // libcurl: idle, it sends the pong when the next frame arrives.
    let mut held = false;
    let fired = fire(&config(), 1_000, |ping| {
        let leaves = held;
        held = true;
        leaves.then_some(ping + Duration::from_millis(80)).into_iter().collect()
    });
    assert!(fired.iter().all(|(_, due)| *due == Due::Ping), "{fired:?}");
    let gaps = seconds(&fired).windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    assert!(gaps <= 25.0, "silent for {gaps} s");
}

#[test]
fn the_silence_of_ours_is_bounded_whatever_the_silence_of_theirs() {
    let mut config = config();
    config.connection.ping_after = Duration::from_secs(5);
    let fired = fire(&config, 1_000, |_| Vec::new());
    let expected = [5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 55.0, 60.0];
    assert_eq!(seconds(&fired), expected);

    config.connection.silence_timeout = Duration::from_secs(6);
    assert_eq!(seconds(&fire(&config, 1_000, |_| Vec::new())), [5.0, 5.5, 6.0]);
}

#[test]
fn a_client_that_sends_without_being_answered_gets_a_ping_all_the_same() {
    let config = config();
    let mut connection = registered();
    let mut pings = 0;
    for second in 1..=100 {
        let now = START + Duration::from_secs(second);
        connection.heard(now);
        pings += usize::from(at(&config, now, |cx| connection.handle_timeout(cx)) == Due::Ping);
    }
    assert_eq!(pings, 4);
}

#[test]
fn an_answer_takes_the_place_of_a_ping() {
    let config = config();
    let mut connection = registered();
    for second in (10..=100).step_by(10) {
        let now = START + Duration::from_secs(second);
        assert_eq!(at(&config, now, |cx| connection.handle_timeout(cx)), Due::Nothing);
        connection.heard(now);
        connection.answered(now);
    }
    let deadline = connection.deadline(&config.connection);
    assert_eq!(deadline, START + Duration::from_secs(125));
}

#[test]
fn what_a_client_sends_never_brings_the_deadline_forward() {
    // The driver's timer is not set anew for each message, so it would miss an earlier deadline.
    let config = config();
    let mut connection = registered();
    let mut now = START;
    for _ in 0..3 {
        for (sends, answers) in [(false, false), (true, false), (true, true)] {
            let before = connection.deadline(&config.connection);
            if sends {
                connection.heard(now);
            }
            if answers {
                connection.answered(now);
            }
            assert!(connection.deadline(&config.connection) >= before);
        }
        now = connection.deadline(&config.connection);
        at(&config, now, |cx| connection.handle_timeout(cx));
        now = now + Duration::from_millis(80);
    }
}
