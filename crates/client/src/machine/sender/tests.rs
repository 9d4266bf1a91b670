//! The sending side, apart from the connection and the calls.

use securecall_protocol::client::Outgoing;
use securecall_protocol::{ClientId, MessageRates, Rate};

use super::*;
use crate::CallId;

const SECOND: Duration = Duration::from_secs(1);

fn announced(message_bytes_max: Option<usize>, rates: MessageRates) -> Resumable {
    Resumable { resume_token: "token".into(), resumed: true, message_bytes_max, rates }
}

fn begun(announced: &Resumable) -> (Sender, Instant) {
    let (mut sender, now) = (Sender::new(), Instant::now());
    assert!(sender.begin(Some(announced), true, now).is_empty());
    (sender, now)
}

fn registered() -> (Sender, Instant) {
    begun(&announced(None, MessageRates::default()))
}

fn bob() -> ClientId {
    "bob".try_into().unwrap()
}

fn call_initiate() -> Outgoing {
    Outgoing::CallInitiate { target_id: bob(), sdp_offer: "offer".into() }
}

fn candidate(number: usize) -> Outgoing {
    Outgoing::IceCandidate { call_id: "c1".into(), candidate: number.to_string() }
}

fn lookup() -> Outgoing {
    Outgoing::PkdLookup { client_id: bob() }
}

fn types(sent: &[Sent]) -> Vec<MessageType> {
    sent.iter().map(|sent| sent.message_type).collect()
}

#[test]
fn each_message_leaves_once_with_its_id_and_type() {
    let (mut sender, now) = registered();
    let first = sender.queue(call_initiate()).unwrap();
    let second = sender.queue(candidate(1)).unwrap();
    let sent = sender.flush(now);
    assert_eq!(types(&sent), [MessageType::CallInitiate, MessageType::IceCandidate]);
    assert_eq!([sent[0].id, sent[1].id], [first, second]);
    assert!(sent[0].text.contains(&format!(r#""id":"{first}""#)));
    assert!(sender.flush(now).is_empty());
}

#[test]
fn requests_go_first_and_those_of_the_application_before_those_that_a_caller_causes() {
    let (mut sender, now) = registered();
    sender.queue_short(candidate(1));
    let purpose = Purpose::CallerKey(CallId(1));
    assert!(sender.request(lookup(), purpose, now).is_ok());
    let purpose = Purpose::CalleeKey(CallId(2));
    assert!(sender.request(Outgoing::TurnCredentials {}, purpose, now).is_ok());
    let expected =
        [MessageType::TurnCredentials, MessageType::PkdLookup, MessageType::IceCandidate];
    assert_eq!(types(&sender.flush(now)), expected);
}

#[test]
fn one_request_too_many_gives_its_purpose_back() {
    let (mut sender, now) = registered();
    for number in 0..64 {
        let purpose = Purpose::CalleeKey(CallId(number));
        assert!(sender.request(lookup(), purpose, now).is_ok());
    }
    let refused = sender.request(lookup(), Purpose::CalleeKey(CallId(64)), now);
    assert!(matches!(refused, Err(Purpose::CalleeKey(CallId(64)))));
    assert_eq!(sender.expire_requests(now + 30 * SECOND).len(), 64);
    assert!(sender.request(lookup(), Purpose::CalleeKey(CallId(65)), now).is_ok());
}

#[test]
fn the_key_is_published_by_one_request_that_does_not_expire() {
    let (mut sender, now) = registered();
    for _ in 0..2 {
        sender.request_publication(Outgoing::PkdRegister {
            client_id: bob(),
            public_key: "key".into(),
        });
    }
    assert_eq!(sender.requests_deadline(), None);
    assert_eq!(types(&sender.flush(now)), [MessageType::PkdRegister]);
}

#[test]
fn what_is_not_confirmed_is_returned_for_the_next_connection_but_for_calls_to_begin() {
    let (mut sender, now) = registered();
    sender.queue(call_initiate()).unwrap();
    let confirmed = sender.queue(candidate(1)).unwrap();
    let lost = sender.queue(candidate(2)).unwrap();
    assert_eq!(sender.flush(now).len(), 3);
    assert!(sender.confirm(confirmed).is_some());
    let sent_before = sender.queue(call_initiate()).unwrap();
    assert_eq!(sender.flush(now).len(), 1);
    let queued = sender.queue(candidate(3)).unwrap();
    let server = announced(None, MessageRates::default());
    let again: Vec<_> =
        sender.begin(Some(&server), true, now).iter().map(|letter| letter.id).collect();
    assert_eq!(again, [lost, queued], "not {sent_before}: a call begins with a fresh offer");
    assert!(sender.flush(now).is_empty(), "what is sent again, the caller decides");
}

#[test]
fn a_message_longer_than_the_server_announces_is_refused() {
    let (mut sender, now) = begun(&announced(Some(200), MessageRates::default()));
    let long = || Outgoing::CallSignal { call_id: "c1".into(), data: "x".repeat(200) };
    assert!(matches!(sender.queue(long()), Err(Error::TooLong)));
    let server = announced(None, MessageRates::default());
    assert!(sender.begin(Some(&server), true, now).is_empty());
    assert!(sender.queue(long()).is_ok());
}

#[test]
fn a_refused_request_that_the_pace_holds_back_has_a_deadline_in_the_future() {
    let rates = MessageRates::from_fn(|_| Rate::every(4 * SECOND, 1));
    let (mut sender, mut now) = begun(&announced(None, rates));
    assert!(sender.request(lookup(), Purpose::CalleeKey(CallId(1)), now).is_ok());
    let id = sender.flush(now)[0].id;
    assert!(sender.refuse_request(Some(id), true, Some(SECOND), now).is_some());
    now += SECOND;
    assert_eq!(sender.deadline(), Some(now));
    assert!(sender.flush(now).is_empty());
    assert_eq!(sender.deadline(), Some(now + 4 * SECOND), "5 seconds after the first");
    assert_eq!(sender.flush(now + 4 * SECOND)[0].id, id);
}
