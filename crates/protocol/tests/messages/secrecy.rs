//! `Debug` ends up in logs and in the words of panics: it prints nothing that is secret.

use securecall_protocol::{
    ClientId, MessageRates, MessageType, Opaque, Registered, Reply, Resumption, ServerMessage,
    decode,
};

const SECRET: &str = "hush-hush";

#[track_caller]
fn assert_hidden(shown: &impl std::fmt::Debug) {
    for shown in [format!("{shown:?}"), format!("{shown:#?}")] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn no_log_shows_the_content_of_a_request() {
    for message_type in MessageType::ALL {
        let fields = [
            "clientId",
            "targetId",
            "callId",
            "sdpOffer",
            "sdpAnswer",
            "candidate",
            "publicKey",
            "reason",
            "data",
            "resumeToken",
        ];
        let fields = fields.map(|name| format!(r#""{name}":"{SECRET}""#)).join(",");
        let more = format!(r#""seq":1,"protocol":2,"calls":[{{"callId":"{SECRET}"}}]"#);
        let text = format!(
            r#"{{"type":"{}","payload":{{{fields},{more}}},"id":"{SECRET}"}}"#,
            message_type.as_str()
        );
        let request = decode(&text).unwrap();
        assert_eq!(request.message.message_type(), message_type);
        assert_hidden(&request);
    }
}

#[test]
fn no_log_shows_the_content_of_a_message() {
    let call_id = || SECRET.into();
    let opaque = Opaque::from_stored("\"hush-hush\"").unwrap();
    let ice_servers = || Some(SECRET.into());
    let id = || ClientId::try_from(SECRET).unwrap();
    let resumption = Some(Resumption {
        resume_token: SECRET.into(),
        resumed: false,
        heartbeat_seconds: 25,
        message_bytes_max: 65_536,
        rates: MessageRates::default(),
    });
    for message in [
        ServerMessage::Registered(Registered { client_id: id(), resumption }),
        ServerMessage::CallInitiated {
            call_id: call_id(),
            target_id: id(),
            ice_servers: ice_servers(),
        },
        ServerMessage::IncomingCall {
            call_id: call_id(),
            caller_id: id(),
            sdp_offer: opaque,
            ice_servers: ice_servers(),
        },
        ServerMessage::CallAccepted {
            call_id: call_id(),
            sdp_answer: opaque,
            ice_servers: ice_servers(),
        },
        ServerMessage::CallRinging { call_id: call_id() },
        ServerMessage::IceCandidate { call_id: call_id(), candidate: opaque },
        ServerMessage::CallSignal { call_id: call_id(), data: opaque },
        ServerMessage::PkdResult { client_id: id(), public_key: Some(opaque) },
        ServerMessage::TurnCredentials { ice_servers: SECRET.into(), ttl_seconds: 1 },
    ] {
        assert_hidden(&message);
        assert_hidden(&Reply { reply_to: Some(opaque), ..message.into() });
    }
}
