//! The connection: kept alive, given up, opened again, or left alone for good.

use std::time::Duration;

use serde_json::json;

use super::stage::Stage;
use crate::command::Command;
use crate::{Disconnect, Error, Event, Stop};

const SECOND: Duration = Duration::from_secs(1);

fn cut() -> Disconnect {
    Disconnect::Network("cut".into())
}

fn last_wait(stage: &Stage) -> Duration {
    let wait = stage.events.iter().rev().find_map(|event| match event {
        Event::Disconnected { retry_in, .. } => Some(*retry_in),
        _ => None,
    });
    wait.expect("it should say when it tries again")
}

#[test]
fn the_wait_is_random_below_a_limit_that_doubles_to_thirty_seconds() {
    let mut stage = Stage::new();
    let mut waits = Vec::new();
    for failures in 0..60 {
        stage.lose(cut(), None);
        let (wait, limit) = (last_wait(&stage), 30.min(1 << failures.min(10)));
        assert!(wait <= SECOND * limit, "{wait:?} after {failures} failures");
        waits.push(wait);
        stage.pass(wait);
        assert_eq!(stage.connects, 2 + failures as usize);
    }
    // Full jitter: over all of what is allowed, about half of it on average.
    let steady = &waits[5..];
    let mean = steady.iter().sum::<Duration>() / u32::try_from(steady.len()).unwrap();
    assert!((12..18).contains(&mean.as_secs()), "{mean:?}");
    assert!(steady.iter().any(|wait| *wait < 4 * SECOND));
    assert!(steady.iter().any(|wait| *wait > 26 * SECOND));
}

#[test]
fn what_the_server_asks_for_is_waited_for_at_least() {
    let mut stage = Stage::new();
    stage.lose(Disconnect::Http(429), Some(20 * SECOND));
    assert!(last_wait(&stage) >= 20 * SECOND);
    stage.lose(Disconnect::Http(503), Some(Duration::from_secs(1_000_000)));
    assert!(last_wait(&stage) <= Duration::from_secs(640));
}

#[test]
fn a_connection_that_held_makes_the_next_loss_a_first_one() {
    let mut stage = Stage::new();
    for _ in 0..8 {
        stage.lose(cut(), None);
        stage.pass(30 * SECOND);
    }
    stage.open();
    stage.register(&json!({"resumed": false}));
    stage.pass(11 * SECOND);
    stage.lose(cut(), None);
    assert!(last_wait(&stage) <= SECOND);
}

#[test]
fn codes_that_say_stay_away_stop_it_and_all_others_do_not() {
    for code in [4000, 4001, 4003, 4099] {
        let mut stage = Stage::registered();
        stage.lose(Disconnect::Closed(code), None);
        assert!(stage.machine.stopped().is_some(), "{code}");
        stage.pass(120 * SECOND);
        assert_eq!(stage.connects, 0);
    }
    // 1000 is no word of ours that comes back: nobody here has closed.
    for code in [1000, 1001, 1002, 1005, 1006, 1009, 1012, 1013, 3999, 4101, 4102] {
        let mut stage = Stage::registered();
        stage.lose(Disconnect::Closed(code), None);
        stage.pass(SECOND);
        assert_eq!(stage.connects, 1, "{code}");
    }
    let mut stage = Stage::registered();
    stage.lose(Disconnect::Closed(4001), None);
    assert_eq!(stage.machine.stopped(), Some(Stop::Superseded));
}

#[test]
fn a_ping_goes_out_every_eight_seconds() {
    let mut stage = Stage::registered();
    for turn in 1..=5 {
        stage.pass(8 * SECOND);
        stage.hear_pong();
        assert_eq!(stage.pings, turn);
    }
    assert_eq!(stage.connects, 0);
}

#[test]
fn a_silent_server_is_given_up_after_twenty_seconds() {
    let mut stage = Stage::registered();
    stage.pass(19 * SECOND);
    assert_eq!((stage.pings, stage.hangups.len()), (2, 0));
    stage.pass(2 * SECOND);
    assert_eq!((stage.hangups.as_slice(), stage.connects), ([None].as_slice(), 1));
}

#[test]
fn an_attempt_that_comes_to_nothing_is_given_up() {
    let mut stage = Stage::new();
    stage.pass(16 * SECOND);
    assert_eq!((stage.hangups.as_slice(), stage.connects), ([None].as_slice(), 2));
    stage.open();
    stage.pass(12 * SECOND);
    assert_eq!((stage.hangups.len(), stage.connects), (2, 3));
}

#[test]
fn a_change_of_network_connects_at_once_wherever_it_stands() {
    let mut stage = Stage::registered();
    stage.command(Command::NetworkChanged);
    assert_eq!((stage.hangups.as_slice(), stage.connects), ([None].as_slice(), 1));
    // While it waits after many failures.
    for _ in 0..8 {
        stage.lose(cut(), None);
        stage.pass(30 * SECOND);
    }
    stage.lose(cut(), None);
    stage.forget();
    stage.command(Command::NetworkChanged);
    assert_eq!((stage.hangups.len(), stage.connects), (0, 1));
}

#[test]
fn whoever_closes_it_ends_its_calls_and_says_goodbye() {
    let mut stage = Stage::registered();
    stage.talk_to_bob();
    stage.forget();
    stage.command(Command::Close);
    assert_eq!(stage.types(), ["CALL_END"]);
    assert_eq!(stage.hangups, [Some(1000)]);
    assert_eq!(stage.machine.stopped(), Some(Stop::Here));
    assert!(matches!(stage.events.last(), Some(Event::Stopped(Stop::Here))));
}

#[test]
fn a_bounded_wait_for_the_registration_ends_with_the_cause_of_the_last_loss() {
    let mut stage = Stage::new();
    let within = |seconds| Some(seconds * SECOND);
    let mut soon = stage.ask(|reply| Command::Registered { within: within(1), reply });
    stage.pass(SECOND);
    assert!(matches!(soon.try_recv(), Ok(Err(Error::NotRegistered { cause: None }))));

    let mut early = stage.ask(|reply| Command::Registered { within: within(10), reply });
    let mut late = stage.ask(|reply| Command::Registered { within: within(60), reply });
    let mut forever = stage.ask(|reply| Command::Registered { within: None, reply });
    stage.lose(Disconnect::Http(404), None);
    stage.pass(9 * SECOND);
    assert!(early.try_recv().is_err(), "it waits");
    stage.pass(SECOND);
    let cause = early.try_recv().unwrap().unwrap_err();
    assert!(matches!(cause, Error::NotRegistered { cause: Some(_) }), "{cause}");
    // The client itself goes on.
    stage.open();
    stage.register(&json!({"resumed": false}));
    let published = stage.id_of("PKD_REGISTER");
    stage.answer(&published, "PKD_RESULT", json!({"clientId": "alice", "publicKey": "k"}));
    assert!(matches!(late.try_recv(), Ok(Ok(()))));
    assert!(matches!(forever.try_recv(), Ok(Ok(()))));
}
