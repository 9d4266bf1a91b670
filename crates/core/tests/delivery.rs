//! Delivery of mail whose receiver is absent, is behind, or is on a node that drains.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::borrow::Cow;
use std::time::Duration;

use securecall_core::delivery::{Receiver, deliver_to_absent, needs_report, refusal};
use securecall_core::{
    CallLimits, Config, Content, Context, Instant, Mail, Outcome, Parties, Session, UnixTime,
};
use securecall_protocol::{ClientId, Dialect, EndReason, Opaque, RejectReason};
use securecall_testkit::unlimited_config;

const STARTED: UnixTime = UnixTime::from_millis(1_767_225_600_000);
const BEFORE: UnixTime = UnixTime::from_millis(1_767_225_590_000);
const AFTER: UnixTime = UnixTime::from_millis(1_767_225_600_500);
const NOW: UnixTime = UnixTime::from_millis(1_767_225_601_000);
const OUTCOMES: [Outcome; 8] = [
    Outcome::Delivered,
    Outcome::Offline,
    Outcome::Busy,
    Outcome::NoSuchCall,
    Outcome::Full,
    Outcome::Glare,
    Outcome::NotUnderstood,
    Outcome::Unavailable,
];

fn text() -> Opaque<'static> {
    Opaque::from_stored(r#""a \u0041 text""#).unwrap()
}

fn ring() -> Content<'static> {
    Content::Ring { sdp_offer: text(), dialect: Dialect::One }
}

/// Mail of each kind but a ring.
fn all_but_rings() -> [Content<'static>; 7] {
    [
        Content::Ringing,
        Content::Accept { sdp_answer: text() },
        Content::Reject { reason: RejectReason::Declined },
        Content::End { reason: EndReason::Hangup },
        Content::Candidate { candidate: text() },
        Content::Signal { data: text() },
        Content::Present { answered: true },
    ]
}

fn mail<'a>(call_id: &'a str, content: Content<'a>) -> Mail<'a> {
    Mail { call_id: Cow::Borrowed(call_id), content }
}

fn id(client: &str) -> ClientId {
    ClientId::try_from(client).unwrap()
}

fn config() -> Config {
    let minute = Duration::from_secs(60);
    let calls = CallLimits {
        ring_timeout: minute,
        grace: Duration::from_secs(30),
        per_session_max: 4,
        unanswered_max: 4,
        waiting_bytes_max: 1_000,
        waiting_count_max: 10,
        waiting_age_max: minute,
    };
    Config { calls, ..unlimited_config() }
}

/// Delivers mail about the call that Alice made at `born` to Bob, who has no session.
fn deliver_to_bob(born: UnixTime, content: Content<'_>, drains: bool) -> Result<Session, Outcome> {
    let config = config();
    let parties = Parties { caller: id("alice"), callee: id("bob"), born };
    let call_id = config.call_ids.seal([9; 24], &parties);
    let nonce = || [1; 24];
    let now = Instant::from_millis(1_000);
    let cx = Context { now, unix: NOW, config: &config, nonce: &nonce };
    deliver_to_absent(&cx, &id("alice"), &id("bob"), &mail(&call_id, content), STARTED, drains)
}

#[test]
fn a_client_that_is_behind_is_busy_for_rings_and_gets_all_else() {
    assert_eq!(
        refusal(&mail("call", ring()), Receiver::Connected(|| true), || false),
        Some(Outcome::Busy)
    );
    for content in all_but_rings() {
        let mail = mail("call", content);
        assert_eq!(refusal(&mail, Receiver::Connected(|| true), || false), None, "{mail:?}");
    }
}

#[test]
fn whether_a_client_is_behind_is_asked_of_rings_alone() {
    for content in all_but_rings() {
        let asked = || -> bool { panic!("it costs a look at the socket") };
        assert_eq!(refusal(&mail("call", content), Receiver::Connected(asked), || true), None);
    }
    assert_eq!(refusal(&mail("call", ring()), Receiver::Connected(|| false), || true), None);
}

#[test]
fn what_would_be_deferred_on_a_node_that_drains_is_unavailable() {
    for content in all_but_rings().into_iter().chain([ring()]) {
        let mail = mail("call", content);
        let refused = |drains| refusal(&mail, Receiver::<fn() -> bool>::Away, || drains);
        assert_eq!(refused(true), Some(Outcome::Unavailable), "{mail:?}");
        assert_eq!(refused(false), None, "{mail:?}");
    }
}

#[test]
fn a_client_without_a_session_is_offline_to_a_caller() {
    let outcome = deliver_to_bob(BEFORE, ring(), false).err();
    assert_eq!(outcome, Some(Outcome::Offline));
}

#[test]
fn a_client_that_a_restart_cut_off_is_expected_back_with_its_mail() {
    for content in all_but_rings() {
        let session = deliver_to_bob(BEFORE, content, false).unwrap();
        assert_eq!(session.client_id(), &id("bob"));
        assert!(!session.is_over(), "it has mail, a call, or an end to remember");
        assert!(session.deadline().is_some(), "nobody is expected for ever");
    }
    let candidate = Content::Candidate { candidate: text() };
    let session = deliver_to_bob(BEFORE, candidate, false).unwrap();
    assert_eq!((session.calls(), session.waiting_count()), (1, 1));
}

#[test]
fn nobody_is_expected_back_for_a_call_that_began_since_the_start() {
    for content in all_but_rings() {
        assert_eq!(deliver_to_bob(AFTER, content, false).err(), Some(Outcome::Offline));
    }
}

#[test]
fn on_a_node_that_drains_nobody_is_expected_back() {
    for content in all_but_rings().into_iter().chain([ring()]) {
        let outcome = deliver_to_bob(BEFORE, content, true).err();
        assert_eq!(outcome, Some(Outcome::Unavailable));
    }
}

#[test]
fn a_sender_learns_of_every_ring_and_of_what_was_not_delivered() {
    for outcome in OUTCOMES {
        assert!(needs_report(&mail("call", ring()), outcome));
        for content in all_but_rings() {
            let delivered = outcome == Outcome::Delivered;
            assert_eq!(needs_report(&mail("call", content), outcome), !delivered);
        }
    }
}

#[test]
fn owned_mail_is_the_mail_byte_for_byte() {
    for content in all_but_rings().into_iter().chain([ring()]) {
        let mail = mail("call", content);
        let owned = mail.clone().into_owned();
        assert_eq!(owned.as_mail(), mail);
        assert_eq!(owned.call_id(), "call");
    }
}

#[test]
fn owned_mail_prints_no_call_id_and_no_text() {
    for content in all_but_rings().into_iter().chain([ring()]) {
        let printed = format!("{:?}", mail("hush-call", content).into_owned());
        assert!(!printed.contains("hush") && !printed.contains("u0041"), "{printed}");
    }
}
