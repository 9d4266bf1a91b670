//! The client's side of the messages against the server's: what the one writes the other reads.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is all tests")]

use std::borrow::Cow;

use proptest::prelude::*;
use securecall_protocol::client::{
    Incoming, Outgoing, PresentedCall, Resumable, UnreadablePart, decode as hear,
};
use securecall_protocol::{
    CallMessage, ClientId, ClientMessage, Dialect, EndReason, ErrorCode, MessageRates, MessageType,
    Opaque, Rate, Registered, RejectReason, Reply, Resumption, ServerMessage, decode,
};

fn id(text: &str) -> ClientId {
    text.try_into().unwrap()
}

/// One message of each type.
fn one_of_each(text: &str) -> Vec<Outgoing> {
    let call_id = || "call-1".to_owned();
    vec![
        Outgoing::Register {
            client_id: id("alice"),
            protocol: 2,
            resume_token: Some("token".into()),
            last_seq: 41,
            calls: vec![PresentedCall { call_id: call_id(), answered: true }],
        },
        Outgoing::CallInitiate { target_id: id("bob"), sdp_offer: text.into() },
        Outgoing::CallRinging { call_id: call_id() },
        Outgoing::CallAccept { call_id: call_id(), sdp_answer: text.into() },
        Outgoing::CallReject { call_id: call_id(), reason: RejectReason::Busy },
        Outgoing::CallEnd { call_id: call_id() },
        Outgoing::IceCandidate { call_id: call_id(), candidate: text.into() },
        Outgoing::CallSignal { call_id: call_id(), data: text.into() },
        Outgoing::PkdRegister { client_id: id("alice"), public_key: text.into() },
        Outgoing::PkdLookup { client_id: id("bob") },
        Outgoing::TurnCredentials {},
        Outgoing::Heartbeat {},
        Outgoing::Ack { seq: 7 },
    ]
}

#[test]
fn the_server_reads_every_message_of_a_client() {
    let messages = one_of_each("v=0\r\n\"quoted\"");
    let types: Vec<_> = messages.iter().map(Outgoing::message_type).collect();
    assert!(MessageType::ALL.iter().all(|message_type| types.contains(message_type)));
    for message in messages {
        let text = message.encode(Some("17"));
        let request = decode(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(request.message.message_type(), message.message_type());
        assert_eq!(request.id.unwrap().as_json(), "\"17\"");
    }
}

#[test]
fn a_registration_arrives_with_all_that_it_presents() {
    let text = one_of_each("").remove(0).encode(None);
    let ClientMessage::Register(registration) = decode(&text).unwrap().message else {
        panic!("{text}")
    };
    assert_eq!(registration.dialect, Dialect::Two);
    assert_eq!(registration.resume_token.as_deref(), Some("token"));
    assert_eq!(registration.last_seq, 41);
    assert_eq!(registration.calls[0].call_id, "call-1");
    assert!(registration.calls[0].answered);
}

fn received(message: ServerMessage<'_>, dialect: Dialect, seq: Option<u64>) -> Incoming {
    let mut text = String::new();
    let reply_to = Opaque::from_stored("\"9\"");
    Reply { message, dialect, seq, reply_to }.encode(&mut text);
    let received = hear(&text).unwrap();
    assert_eq!((received.seq, received.reply_to.as_deref()), (seq, Some("9")), "{text}");
    received.message
}

#[test]
fn a_client_reads_the_messages_of_the_server() {
    let rates = MessageRates::from_fn(|class| Rate::new(class as u32 + 2, 4.0));
    let resumption = Resumption {
        resume_token: Cow::Borrowed("token"),
        resumed: true,
        heartbeat_seconds: 25,
        message_bytes_max: 65_536,
        rates,
    };
    let registered = Registered { client_id: id("alice"), resumption: Some(resumption) };
    let resumable = Resumable {
        resume_token: "token".into(),
        resumed: true,
        message_bytes_max: Some(65_536),
        rates,
    };
    assert_eq!(
        received(ServerMessage::Registered(registered), Dialect::Two, None),
        Incoming::Registered { client_id: id("alice"), resumable: Some(resumable) }
    );
    let reason = EndReason::Glare;
    let ended = ServerMessage::CallEnded { call_id: "c".into(), reason };
    assert_eq!(
        received(ended.clone(), Dialect::Two, Some(3)),
        Incoming::CallEnded { call_id: "c".into(), reason: Some(reason) }
    );
    assert_eq!(
        received(ended, Dialect::One, None),
        Incoming::CallEnded { call_id: "c".into(), reason: None }
    );
    for code in ErrorCode::ALL {
        let error = ServerMessage::Error { code, message: "why".into(), retry_after_ms: Some(250) };
        assert_eq!(
            received(error, Dialect::Two, Some(1)),
            Incoming::Error { code: Some(code), message: "why".into(), retry_after_ms: Some(250) }
        );
    }
    let ice_servers = r#"[{"urls":["turn:a"],"username":"u","credential":"c"},{"urls":"stun:b"}]"#;
    let credentials =
        ServerMessage::TurnCredentials { ice_servers: ice_servers.into(), ttl_seconds: 60 };
    let Incoming::TurnCredentials { ice_servers, ttl_seconds: 60 } =
        received(credentials, Dialect::One, None)
    else {
        panic!("no credentials")
    };
    assert_eq!(ice_servers[0].credential.as_deref(), Some("c"));
    assert_eq!(ice_servers[1].urls, ["stun:b"]);
    assert!(!format!("{ice_servers:?}").contains("\"c\""), "no credential in a log");
}

#[test]
fn an_unknown_message_is_decoded_as_unknown_with_its_number() {
    let later = hear(r#"{"type":"LATER","payload":{"x":[1]},"seq":12}"#).unwrap();
    assert_eq!((later.message, later.seq), (Incoming::Unknown, Some(12)));
    let broken = hear(r#"{"type":"CALL_ENDED","payload":{"callId":5},"seq":13}"#).unwrap();
    assert_eq!((broken.message, broken.seq), (Incoming::Unknown, Some(13)));
    let unreadable = |message_type: &str, fields: &str| {
        let text =
            format!(r#"{{"type":"{message_type}","payload":{{"callId":"c",{fields}}},"seq":14}}"#);
        hear(&text).unwrap().message
    };
    for unread in [r#""sdpOffer":"\ud800""#, r#""sdpOffer":5"#, r#""iceServers":[]"#] {
        let caller_id = Some(id("bob"));
        let part = UnreadablePart::Offer { caller_id };
        assert_eq!(
            unreadable("INCOMING_CALL", &format!(r#""callerId":"bob",{unread}"#)),
            Incoming::Unreadable { call_id: "c".into(), part }
        );
    }
    let nobody = UnreadablePart::Offer { caller_id: None };
    for (message_type, fields, part) in [
        ("INCOMING_CALL", r#""callerId":"\udfff","sdpOffer":"v=0""#, nobody),
        ("CALL_ACCEPTED", r#""sdpAnswer":"\ud800""#, UnreadablePart::Answer),
        ("ICE_CANDIDATE", r#""candidate":{}"#, UnreadablePart::Message),
        ("CALL_SIGNAL", r#""data":"\ud800\u0020""#, UnreadablePart::Message),
    ] {
        let expected = Incoming::Unreadable { call_id: "c".into(), part };
        assert_eq!(unreadable(message_type, fields), expected);
    }
}

#[test]
fn a_field_that_cannot_be_read_takes_no_other_with_it() {
    let offer = r#"{"callId":"c","callerId":"bob","sdpOffer":"v=0","iceServers":"\ud800"}"#;
    let heard = hear(&format!(r#"{{"type":"INCOMING_CALL","payload":{offer}}}"#)).unwrap();
    let Incoming::IncomingCall { sdp_offer, ice_servers, .. } = heard.message else {
        panic!("{heard:?}")
    };
    assert_eq!((sdp_offer.as_str(), ice_servers.len()), ("v=0", 0));
    let ended = r#"{"type":"CALL_ENDED","payload":{"callId":"c","reason":"\ud800"}}"#;
    let ended = hear(ended).unwrap().message;
    assert_eq!(ended, Incoming::CallEnded { call_id: "c".into(), reason: None });
    let key = r#"{"type":"PKD_RESULT","payload":{"clientId":"bob","publicKey":"\ud800"}}"#;
    let key = hear(key).unwrap().message;
    let public_key = Some(String::new());
    assert_eq!(key, Incoming::PkdResult { client_id: id("bob"), public_key });
}

#[test]
fn a_wrong_clock_is_encoded_and_decoded() {
    let reason = RejectReason::Clock { ahead_seconds: -420 };
    let sent = Outgoing::CallReject { call_id: "c".into(), reason }.encode(None);
    assert_eq!(
        sent,
        r#"{"type":"CALL_REJECT","payload":{"callId":"c","reason":"clock","clockAheadSeconds":-420}}"#
    );
    let rejected = ServerMessage::CallRejected { call_id: "c".into(), reason };
    assert_eq!(
        received(rejected, Dialect::Two, Some(1)),
        Incoming::CallRejected { call_id: "c".into(), reason }
    );
}

#[test]
fn a_text_that_is_not_a_message_is_ignored() {
    for text in ["", "null", "[]", "{}", r#"{"type":"X"}"#, "\u{0}"] {
        assert_eq!(hear(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_passes_both_ways(text in any::<String>()) {
        let sent = Outgoing::IceCandidate { call_id: "c".into(), candidate: text.clone() }.encode(None);
        let ClientMessage::Call(CallMessage::IceCandidate { call_id, candidate }) =
            decode(&sent).unwrap().message
        else {
            panic!("{sent}")
        };
        let passed_on = ServerMessage::IceCandidate { call_id, candidate };
        prop_assert_eq!(
            received(passed_on, Dialect::Two, Some(1)),
            Incoming::IceCandidate { call_id: "c".into(), candidate: text }
        );
    }

    #[test]
    fn no_text_of_a_server_panics_a_client(text in any::<String>(), json in "[\\[\\]{}\",:a-zA-Z0-9]{0,80}") {
        let _ = (hear(&text), hear(&json));
    }
}
