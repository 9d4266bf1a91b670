//! Each cell of the table in `mod.rs`, and the bounds of what is kept.

use std::time::Duration;

use securecall_protocol::{ClientMessage, EndReason, decode};

use super::*;
use crate::Rate;
use crate::call_id::{CallIdKey, Nonce};
use crate::context::{Config, ConnectionLimits};
use crate::mail::Content;
use crate::session::call::Role;
use crate::session::calls::tests::{client, ringing};
use crate::session::deferred::tests::LIMITS;
use crate::time::UnixTime;

const HANGUP: Ending = Ending::Ended(EndReason::Hangup);

fn config() -> Config {
    let minute = Duration::from_secs(60);
    let rate = Rate::new(1, 1.0);
    Config {
        calls: LIMITS,
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
        turn: None,
        replace_key: crate::directory::ReplacePolicy::Owner,
        key_bytes_max: 100,
    }
}

fn with<R>(test: impl FnOnce(&Context<'_>) -> R) -> R {
    let (config, nonce) = (config(), || Nonce::default());
    let (now, unix) = (Instant::from_millis(1_000), UnixTime::from_millis(1_000));
    test(&Context { now, unix, config: &config, nonce: &nonce })
}

fn in_dialect(cx: &Context<'_>, dialect: Dialect) -> Client {
    let protocol = if dialect == Dialect::Two { r#","protocol":2"# } else { "" };
    let text = format!(r#"{{"type":"REGISTER","payload":{{"clientId":"alice"{protocol}}}}}"#);
    let ClientMessage::Register(registration) = decode(&text).unwrap().message else {
        panic!("a registration")
    };
    let mut alice = Client::absent(client("alice"), cx.now);
    alice.set_online();
    alice.begin(cx, &registration);
    assert_eq!(alice.dialect(), dialect);
    alice
}

fn call() -> Call {
    let mut call = ringing("call", "bob", Role::Callee);
    call.claim = Claim::Proven;
    call
}

fn signal() -> ServerMessage<'static> {
    let data = Opaque::from_stored("\"x\"").unwrap();
    ServerMessage::CallSignal { call_id: "call".into(), data }
}

#[test]
fn an_answer_to_a_request_is_sent_or_dropped() {
    with(|cx| {
        for dialect in [Dialect::One, Dialect::Two] {
            let mut alice = in_dialect(cx, dialect);
            let calls = Calls::default();
            assert!(alice.reply(cx, &calls, ServerMessage::HeartbeatAck, None).is_some());
            let kept = alice.kept_count();
            alice.set_away(cx.now);
            assert_eq!(alice.reply(cx, &calls, ServerMessage::HeartbeatAck, None), None);
            assert_eq!(alice.kept_count(), kept);
        }
    });
}

#[test]
fn an_end_is_sent_or_kept() {
    with(|cx| {
        for dialect in [Dialect::One, Dialect::Two] {
            let mut alice = in_dialect(cx, dialect);
            let calls = Calls::default();
            assert!(alice.send_end(cx, &calls, call(), HANGUP, None).is_some());
            let kept = alice.kept_count();
            alice.set_away(cx.now);
            assert_eq!(alice.send_end(cx, &calls, call(), HANGUP, None), None);
            assert_eq!(alice.kept_count(), kept + 1);
            assert!(!alice.is_forgettable());
            alice.forget();
            assert!(alice.is_forgettable());
        }
    });
}

#[test]
fn in_dialect_2_what_was_deferred_comes_before_the_end() {
    with(|cx| {
        let mut alice = in_dialect(cx, Dialect::Two);
        alice.set_away(cx.now);
        for (claim, kept) in
            [(Claim::Proven, 2), (Claim::Unproven { taken_part: true, deadline: None }, 1)]
        {
            let mut call = call();
            call.claim = claim;
            call.deferred.push(Deferred::new("call", Content::Ringing), &LIMITS, 400).unwrap();
            let before = alice.kept_count();
            alice.send_end(cx, &Calls::default(), call, HANGUP, None);
            assert_eq!(alice.kept_count() - before, kept);
        }
    });
}

#[test]
fn ends_of_calls_that_others_bring_back_are_within_the_bound() {
    with(|cx| {
        for (dialect, taken_part, kept) in
            [(Dialect::One, true, 3), (Dialect::Two, true, 5), (Dialect::Two, false, 3)]
        {
            let mut alice = in_dialect(cx, dialect);
            alice.set_away(cx.now);
            for _ in 0..5 {
                let mut call = call();
                call.claim = Claim::Unproven { taken_part, deadline: None };
                alice.send_end(cx, &Calls::default(), call, HANGUP, None);
            }
            assert_eq!(alice.kept_count(), kept, "{dialect:?}");
        }
    });
}

#[test]
fn a_message_that_a_dialect_does_not_have_is_not_sent() {
    with(|cx| {
        let calls = Calls::default();
        assert!(in_dialect(cx, Dialect::Two).send_now(cx, &calls, signal()).is_some());
        assert!(in_dialect(cx, Dialect::One).send_now(cx, &calls, signal()).is_none());
    });
}

#[test]
fn what_the_calls_hold_counts_against_the_bound_of_what_is_kept() {
    with(|cx| {
        let mut alice = in_dialect(cx, Dialect::Two);
        let mut calls = Calls::default();
        let at = calls.insert(call());
        let long = format!("\"{}\"", "x".repeat(300));
        let data = Opaque::from_stored(&long).unwrap();
        let deferred = Deferred::new("call", Content::Signal { data });
        calls[at].deferred.push(deferred, &LIMITS, 400).unwrap();
        assert!(alice.send_now(cx, &calls, signal()).is_some());
        assert_eq!(alice.kept_count(), 0, "it is sent, and finds no room beside the call's");
        assert!(alice.send_now(cx, &Calls::default(), signal()).is_some());
        assert_eq!(alice.kept_count(), 1);
    });
}

#[test]
fn a_registration_is_resumed_with_its_token_only() {
    with(|cx| {
        let mut alice = in_dialect(cx, Dialect::Two);
        let calls = Calls::default();
        alice.send_now(cx, &calls, signal());
        let token = alice.tokens().unwrap().given().to_string();
        let mut resume = |token: &str| {
            let text = format!(
                r#"{{"type":"REGISTER","payload":{{"clientId":"alice","protocol":2,"resumeToken":"{token}","lastSeq":0}}}}"#
            );
            let ClientMessage::Register(registration) = decode(&text).unwrap().message else {
                panic!("a registration")
            };
            alice.resume(cx.now, &registration).map(|missed| missed.len())
        };
        assert_eq!(resume("another"), None);
        assert_eq!(resume(&token), Some(1));
    });
}
