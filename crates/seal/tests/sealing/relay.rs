//! Whatever is sealed passes the relay: the server's own parser takes it, and hands it on as it
//! came, byte for byte.

use std::borrow::Cow;

use proptest::prelude::*;
use securecall_protocol::{CallMessage, ClientMessage, Opaque, Reply, ServerMessage, decode};
use securecall_seal::Suite;

use crate::pair::{ANSWER, CALL_ID, Pair, looked_up, now};

/// Sends a sealed text in one field of a client's message, and reads it from the server's.
fn relayed(message_type: &str, others: &str, field: &str, sealed: &str) -> String {
    let sent =
        format!(r#"{{"type":"{message_type}","payload":{{{others},"{field}":"{sealed}"}}}}"#);
    let request = decode(&sent).unwrap();
    let message = forwarded(request.message);
    let mut received = String::new();
    Reply::from(message).encode(&mut received);
    let received: serde_json::Value = serde_json::from_str(&received).unwrap();
    received["payload"][field].as_str().unwrap().to_owned()
}

/// The message that the server sends on.
fn forwarded(message: ClientMessage<'_>) -> ServerMessage<'_> {
    match message {
        ClientMessage::Call(CallMessage::CallInitiate { target_id, sdp_offer }) => {
            let call_id = Cow::Borrowed(CALL_ID);
            ServerMessage::IncomingCall {
                call_id,
                caller_id: target_id,
                sdp_offer,
                ice_servers: None,
            }
        }
        ClientMessage::Call(CallMessage::CallAccept { call_id, sdp_answer }) => {
            ServerMessage::CallAccepted { call_id, sdp_answer, ice_servers: None }
        }
        ClientMessage::Call(CallMessage::IceCandidate { call_id, candidate }) => {
            ServerMessage::IceCandidate { call_id, candidate }
        }
        ClientMessage::PkdRegister { client_id, public_key } => {
            let stored = public_key.as_json();
            let public_key = Some(Opaque::from_stored(stored).unwrap());
            ServerMessage::PkdResult { client_id, public_key }
        }
        other => panic!("not relayed: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_sealed_passes_the_relay_unchanged(
        offer in ".{0,3000}",
        answer in ".{0,3000}",
        candidate in ".{0,600}",
        hybrid: bool,
    ) {
        let mut pair = Pair::new(if hybrid { Suite::XWing } else { Suite::X25519 });
        let key = pair.alice.directory_key().as_str();
        prop_assert_eq!(relayed("PKD_REGISTER", r#""clientId":"alice""#, "publicKey", key), key);

        let bob = looked_up(&pair.bob);
        let caller = securecall_seal::Caller::new(&pair.alice, &bob);
        let (offered, sealed) = caller.offer(&offer, now(), &mut pair.rng).unwrap();
        let received = relayed("CALL_INITIATE", r#""targetId":"bob""#, "sdpOffer", &sealed);
        prop_assert_eq!(&received, &sealed);

        let incoming = pair.open(&received).unwrap();
        prop_assert_eq!(incoming.sdp(), &offer);
        let (mut bobs_end, sealed) = incoming.answer(CALL_ID, &answer, &mut pair.rng).unwrap();
        let received = relayed("CALL_ACCEPT", r#""callId":"call-1""#, "sdpAnswer", &sealed);
        prop_assert_eq!(&received, &sealed);

        let (mut alices_end, opened) = offered.accept(CALL_ID, &received).unwrap();
        prop_assert_eq!(opened, answer);
        let sealed = bobs_end.seal_candidate(&candidate).unwrap();
        let received = relayed("ICE_CANDIDATE", r#""callId":"call-1""#, "candidate", &sealed);
        prop_assert_eq!(&received, &sealed);
        prop_assert_eq!(alices_end.open_candidate(&received).unwrap(), candidate);
    }

    #[test]
    fn arbitrary_text_opens_nothing(text in "[A-Za-z0-9_-]{0,400}|.{0,100}") {
        let mut pair = Pair::new(Suite::X25519);
        prop_assert!(securecall_seal::DirectoryKey::parse(&text, "alice").is_err());
        prop_assert!(pair.open(&text).is_err());
        let (mut end, _) = pair.call();
        prop_assert!(end.open_candidate(&text).is_err());
        prop_assert!(pair.offer().0.accept(CALL_ID, &text).is_err());
    }

    #[test]
    fn any_messages_lost_on_the_way_leave_the_others_readable(
        delivered in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
        let mut lost = 0;
        for (number, delivered) in delivered.into_iter().enumerate() {
            let sealed = alices_end.seal_signal(&number.to_string()).unwrap();
            if delivered {
                prop_assert_eq!(bobs_end.open_signal(&sealed).unwrap(), number.to_string());
                prop_assert_eq!(bobs_end.missing(), lost);
            } else {
                lost += 1;
            }
        }
    }
}

#[test]
fn an_answer_of_any_length_opens() {
    let mut pair = Pair::new(Suite::X25519);
    for length in [0, 1, 187, 188, 189, 255, 256, 40_960] {
        let (offered, sdp_offer) = pair.offer();
        let answer = ANSWER.chars().cycle().take(length).collect::<String>();
        let incoming = pair.open(&sdp_offer).unwrap();
        let (_, sealed) = incoming.answer(CALL_ID, &answer, &mut pair.rng).unwrap();
        assert_eq!(offered.accept(CALL_ID, &sealed).unwrap().1, answer);
    }
}
