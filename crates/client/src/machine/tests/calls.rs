//! The states of a call, and dialect 1.

use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use securecall_protocol::{Dialect, EndReason, RejectReason};
use securecall_seal::{self as seal, DirectoryKey, Identity, Seed, Suite};
use serde_json::json;

use super::stage::{Stage, id};
use crate::command::Command;
use crate::{CallId, Ending, Error, Event, KnownKeys};

fn endings(stage: &Stage) -> Vec<(CallId, Ending)> {
    let ended = stage.events.iter().filter_map(|event| match event {
        Event::Ended { call, reason } => Some((*call, reason.clone())),
        _ => None,
    });
    ended.collect()
}

/// Registered at a server that knows dialect 1 and names no request.
fn in_dialect_one() -> Stage {
    let mut stage = Stage::new();
    stage.open();
    stage.hear(json!({"type": "REGISTERED", "payload": {"clientId": "alice"}}));
    let key = json!({"clientId": "alice", "publicKey": "k"});
    stage.hear(json!({"type": "PKD_RESULT", "payload": key}));
    stage
}

/// Alice calls bob there, and the server does not answer.
fn calling_in_dialect_one() -> (Stage, CallId) {
    let mut stage = in_dialect_one();
    let (target, offer) = (id("bob"), "offer".to_owned());
    let mut result = stage.ask(|reply| Command::Call { target, offer, reply });
    let key = json!({"clientId": "bob", "publicKey": stage.bob.directory_key().as_str()});
    stage.hear(json!({"type": "PKD_RESULT", "payload": key}));
    let call = result.try_recv().unwrap().unwrap();
    assert_eq!(stage.count("CALL_INITIATE"), 1);
    stage.forget();
    (stage, call)
}

#[test]
fn the_server_without_protocol_two_is_spoken_to_in_dialect_one() {
    let stage = in_dialect_one();
    let dialect = stage.events.iter().find_map(|event| match event {
        Event::Registered { dialect, .. } => Some(*dialect),
        _ => None,
    });
    assert_eq!(dialect, Some(Dialect::One));
}

#[test]
fn to_cancel_in_dialect_one_it_closes_with_1000_and_comes_back_at_once() {
    let (mut stage, call) = calling_in_dialect_one();
    drop(stage.ask(|reply| Command::End { call, reply }));
    assert_eq!((stage.hangups.as_slice(), stage.connects), ([Some(1000)].as_slice(), 1));
}

#[test]
fn an_end_of_a_call_without_a_name_is_that_of_the_one_that_begins() {
    let (mut stage, call) = calling_in_dialect_one();
    stage.hear(json!({"type": "CALL_REJECTED", "payload": {"callId": "c9"}}));
    assert_eq!(endings(&stage), [(call, Ending::Rejected(RejectReason::Declined))]);
    let (mut stage, call) = calling_in_dialect_one();
    let payload = json!({"code": "TARGET_NOT_FOUND", "message": "no"});
    stage.hear(json!({"type": "ERROR", "payload": payload}));
    assert_eq!(endings(&stage), [(call, Ending::NotConnected)]);
}

#[test]
fn in_dialect_one_a_lost_beginning_is_waited_for_and_a_running_call_shown() {
    let (mut stage, call) = calling_in_dialect_one();
    stage.reconnect();
    stage.hear(json!({"type": "REGISTERED", "payload": {"clientId": "alice"}}));
    assert_eq!(stage.types(), ["REGISTER", "PKD_REGISTER"]);
    for _ in 0..10 {
        stage.pass(Duration::from_secs(8));
        stage.hear_pong();
    }
    assert_eq!(endings(&stage), [(call, Ending::Ended(EndReason::Timeout))]);
}

#[test]
fn a_call_that_nobody_answers_ends_a_little_after_the_servers_time() {
    let mut stage = Stage::registered();
    let call = stage.bob_calls();
    for _ in 0..9 {
        stage.pass(Duration::from_secs(8));
        stage.hear_pong();
    }
    assert!(endings(&stage).is_empty(), "72 seconds: the server's word comes first");
    stage.pass(Duration::from_secs(4));
    assert_eq!(endings(&stage), [(call, Ending::Ended(EndReason::Timeout))]);
}

#[test]
fn a_call_is_answered_once_and_not_by_its_caller() {
    let mut stage = Stage::registered();
    let call = stage.bob_calls();
    stage.accept(call);
    for call in [call, CallId(77)] {
        let answer = "again".to_owned();
        let mut result = stage.ask(|reply| Command::Accept { call, answer, reply });
        let error = result.try_recv().unwrap().unwrap_err();
        assert!(matches!(error, Error::WrongMoment | Error::NoSuchCall));
    }
    assert_eq!(stage.count("CALL_ACCEPT"), 1);
    let mut stage = Stage::registered();
    let (call, _) = stage.call_bob();
    let answer = "own".to_owned();
    let mut result = stage.ask(|reply| Command::Accept { call, answer, reply });
    assert!(matches!(result.try_recv(), Ok(Err(Error::WrongMoment))));
}

/// Bob's call was answered; another program has met another bob at the same time.
fn talking_to_one_of_two_bobs(saved_first: bool) -> (Stage, CallId) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known");
    let open = || KnownKeys::open(&path, "wss://example.net/").unwrap();
    let mut stage = Stage::registered_knowing(open());
    let call = stage.bob_calls();
    stage.accept(call);
    if saved_first {
        stage.save_keys();
    }
    let mut rng = StdRng::seed_from_u64(8);
    let other_bob = Identity::new("bob", &Seed::generate(&mut rng), Suite::X25519).unwrap();
    let mut elsewhere = open();
    elsewhere.meet(other_bob.directory_key());
    elsewhere.save().unwrap();
    stage.forget();
    stage.save_keys();
    (stage, call)
}

#[test]
fn a_call_with_a_key_that_another_program_knows_differently_does_not_go_on() {
    let (stage, call) = talking_to_one_of_two_bobs(false);
    let interference = Ending::Interference(seal::Error::PeerKeyChanged);
    assert_eq!(endings(&stage), [(call, interference)]);
    assert_eq!(stage.types(), ["CALL_END"]);
}

#[test]
fn a_call_with_the_key_that_was_met_first_goes_on() {
    let (stage, _) = talking_to_one_of_two_bobs(true);
    assert!(endings(&stage).is_empty());
}

#[test]
fn a_call_of_an_earlier_life_of_the_program_is_ended() {
    let mut stage = Stage::registered();
    let initiated = json!({"callId": "old", "targetId": "bob"});
    stage.hear_next("CALL_INITIATED", initiated);
    assert_eq!(stage.last("CALL_END")["payload"]["callId"], "old");
}

#[test]
fn the_glare_of_two_calls_ends_one_and_leaves_the_other() {
    let mut stage = Stage::registered();
    let (own, initiate) = stage.call_bob();
    let initiated = json!({"callId": "c2", "targetId": "bob"});
    stage.answer(&initiate["id"], "CALL_INITIATED", initiated);
    stage.hear_next("CALL_ENDED", json!({"callId": "c2", "reason": "glare"}));
    assert_eq!(endings(&stage), [(own, Ending::Ended(EndReason::Glare))]);
    let call = stage.bob_calls();
    stage.accept(call);
    assert_eq!(stage.count("CALL_ACCEPT"), 1);
}

#[test]
fn a_callee_that_is_not_connected_is_told_once() {
    let mut stage = Stage::registered();
    let (call, initiate) = stage.call_bob();
    let initiated = json!({"callId": "c1", "targetId": "bob"});
    stage.answer(&initiate["id"], "CALL_INITIATED", initiated);
    stage.refuse(&initiate["id"], "TARGET_NOT_FOUND", None);
    stage.hear_next("CALL_ENDED", json!({"callId": "c1", "reason": "unreachable"}));
    assert_eq!(endings(&stage), [(call, Ending::NotConnected)]);
}

/// Another key for bob, which alice has come to trust.
fn trust_another_bob(stage: &mut Stage) {
    let seed = Seed::generate(&mut StdRng::seed_from_u64(9));
    let other = Identity::new("bob", &seed, Suite::X25519).unwrap();
    trust(stage, other.directory_key());
}

fn trust(stage: &mut Stage, key: &DirectoryKey) {
    let key = Box::new(key.clone());
    stage.ask(|reply| Command::Trust { key, reply }).try_recv().unwrap().unwrap();
}

#[test]
fn a_call_with_a_key_that_is_known_asks_for_none() {
    let mut stage = Stage::registered();
    let (key, offer) = (Box::new(stage.bob.directory_key().clone()), "offer".to_owned());
    stage.ask(|reply| Command::CallWith { key, offer, reply }).try_recv().unwrap().unwrap();
    assert_eq!(stage.types(), ["CALL_INITIATE"]);
}

#[test]
fn a_caller_whose_key_became_another_while_it_rang_is_not_answered_silently() {
    let mut stage = Stage::registered();
    let call = stage.bob_calls();
    trust_another_bob(&mut stage);
    let answer = "v=0 answer".to_owned();
    let accepted = stage.ask(|reply| Command::Accept { call, answer, reply }).try_recv().unwrap();
    assert!(matches!(accepted, Err(Error::KeyChanged(_))), "{accepted:?}");
    assert_eq!(stage.count("CALL_ACCEPT"), 0);
    let key = stage.bob.directory_key().clone();
    trust(&mut stage, &key);
    stage.accept(call);
}

#[test]
fn a_callee_whose_key_became_another_while_it_rang_is_not_talked_to() {
    let mut stage = Stage::registered();
    let (call, initiate) = stage.call_bob();
    trust_another_bob(&mut stage);
    stage.bob_answers(&initiate);
    let reason = Ending::Interference(seal::Error::PeerKeyChanged);
    assert_eq!(endings(&stage), [(call, reason)]);
    assert_eq!(stage.count("CALL_END"), 1);
}
