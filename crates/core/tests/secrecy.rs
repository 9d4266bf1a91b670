//! `Debug` ends up in logs and in the words of panics: it prints no call id, token, credential,
//! address or SDP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::IpAddr;
use std::time::Duration;

use securecall_core::directory::ReplacePolicy;
use securecall_core::{
    AddressKey, CallIdKey, CallLimits, Config, Connection, ConnectionLimits, Context, Instant,
    NameKey, Nonce, Output, Rate, Session, Step, Turn, TurnRest, UnixTime,
};
use securecall_protocol::{ClientId, ClientMessage, ServerMessage, decode};
use zeroize::Zeroizing;

const SDP: &str = "hush-sdp";
const UNIX: UnixTime = UnixTime::from_millis(1_767_225_600_000);

fn config() -> Config {
    let rate = Rate::new(1_000, 1_000.0);
    let minute = Duration::from_secs(60);
    let secret = Zeroizing::new(b"secret".to_vec());
    let rest = TurnRest::new(&["turn:turn.example".into()], secret, minute);
    Config {
        calls: CallLimits {
            ring_timeout: minute,
            grace: minute,
            per_session_max: 16,
            unanswered_max: 8,
            waiting_bytes_max: 1 << 18,
            waiting_count_max: 1_000,
            waiting_age_max: minute,
        },
        connection: ConnectionLimits {
            message_bytes_max: 65_536,
            register_timeout: minute,
            ping_after: minute,
            silence_timeout: minute,
            calls: rate,
            hangups: rate,
            candidates: rate,
            directory: rate,
            other: rate,
        },
        call_ids: CallIdKey::new(&[7; 32]),
        turn: Some(Turn::new(rest, NameKey::new(&[7; 32]))),
        replace_key: ReplacePolicy::Owner,
        key_bytes_max: 4_096,
    }
}

fn id(text: &str) -> ClientId {
    ClientId::try_from(text).unwrap()
}

/// Texts that must not be printed: learnt from what is sent, and named before.
struct Secrets(Vec<String>);

impl Secrets {
    fn learn(&mut self, output: &Output<'_>) {
        let mut text = String::new();
        let Output::Send(reply) = output else { return };
        reply.encode(&mut text);
        let text: serde_json::Value = serde_json::from_str(&text).unwrap();
        let payload = &text["payload"];
        let credential = &payload["iceServers"][0]["credential"];
        let found = [&payload["callId"], &payload["resumeToken"], credential];
        self.0.extend(found.into_iter().filter_map(|value| value.as_str()).map(String::from));
    }

    #[track_caller]
    fn assert_hidden_in(&self, shown: &impl std::fmt::Debug) {
        let shown = format!("{shown:?} {shown:#?}");
        for secret in &self.0 {
            assert!(!shown.contains(secret.as_str()), "{secret} is in {shown}");
        }
    }
}

#[test]
fn no_log_shows_what_a_session_knows() {
    let config = config();
    let nonce = || Nonce::default();
    let now = Instant::from_millis(1_000_000);
    let cx = Context { now, unix: UNIX, config: &config, nonce: &nonce };
    let mut secrets = Secrets(vec![SDP.into(), "alice".into(), "bob".into()]);
    let mut sessions = ["alice", "bob"].map(|name| {
        let text =
            format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{name}","protocol":2}}}}"#);
        let ClientMessage::Register(registration) = decode(&text).unwrap().message else {
            panic!()
        };
        let mut session = Session::new(id(name), UNIX, &cx);
        for output in session.attach(&cx, &registration, None) {
            secrets.learn(&output);
        }
        session
    });
    let initiate =
        format!(r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"bob","sdpOffer":"{SDP}"}}}}"#);
    let ClientMessage::Call(message) = decode(&initiate).unwrap().message else { panic!() };
    let [alice, bob] = &mut sessions;
    for output in alice.handle_message(&cx, message, None) {
        secrets.learn(&output);
        secrets.assert_hidden_in(&output);
        let Output::Mail { mail, .. } = output else { continue };
        secrets.assert_hidden_in(&mail);
        let receipt = bob.handle_mail(&cx, &id("alice"), &mail);
        receipt.outputs.iter().for_each(|output| secrets.learn(output));
        secrets.assert_hidden_in(&receipt);
    }
    assert!(secrets.0.len() >= 7, "two tokens, an id, credentials: {}", secrets.0.len());
    secrets.assert_hidden_in(alice);
    secrets.assert_hidden_in(bob);
    secrets.assert_hidden_in(&Output::SendText(SDP.into()));
}

#[test]
fn no_log_shows_a_connected_client_and_its_messages() {
    let config = config();
    let now = Instant::from_millis(1_000_000);
    let cx = Context { now, unix: UNIX, config: &config, nonce: &|| Nonce::default() };
    let mut connection = Connection::new(now);
    let text =
        r#"{"type":"REGISTER","payload":{"clientId":"alice","protocol":2,"resumeToken":"hush"}}"#;
    let step = connection.handle_text(&cx, text);
    let secrets = Secrets(["alice", "hush", "192.0.2.1", "2001:db8"].map(String::from).to_vec());
    assert!(matches!(step, Step::Register { .. }));
    secrets.assert_hidden_in(&step);
    secrets.assert_hidden_in(&connection);
    for address in ["192.0.2.1", "2001:db8::1"] {
        secrets.assert_hidden_in(&AddressKey::from(address.parse::<IpAddr>().unwrap()));
    }
    secrets.assert_hidden_in(&ServerMessage::CallRinging { call_id: "hush".into() });
}
