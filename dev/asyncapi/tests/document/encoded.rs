//! The document's description of the server's messages, compared with what the encoder writes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use securecall_asyncapi::{Presence, limits, server};
use securecall_protocol::{
    ClientId, Dialect, EndReason, ErrorCode, MessageRates, Opaque, Registered, RejectReason, Reply,
    Resumption, ServerMessage,
};
use serde_json::{Value, json};

use crate::schemas::{Schemas, with_one_field_less};

const DIALECTS: [(u8, Dialect); 2] = [(1, Dialect::One), (2, Dialect::Two)];
const CALL_ID: &str = "j0lhhlXyWKTD";
const RELAYS: &str = r#"[{"urls":["turn:a:443?transport=tcp"],"username":"1767229200:1_M3qR6iXNdGP1B_","credential":"x="}]"#;

/// The content that varies from message to message.
#[derive(Debug, Clone)]
struct Content {
    client_id: String,
    sealed: String,
    with_options: bool,
    number: u64,
}

fn any_content() -> impl Strategy<Value = Content> {
    let number = 0..=limits::NUMBER_MAX;
    ("[a-zA-Z0-9_-]{1,64}", any::<String>(), any::<bool>(), number).prop_map(
        |(client_id, sealed, with_options, number)| Content {
            client_id,
            sealed: json!(sealed).to_string(),
            with_options,
            number,
        },
    )
}

impl Content {
    /// Every message, in the words of this content.
    fn messages(&self, dialect: Dialect) -> Vec<ServerMessage<'_>> {
        let mut messages = self.plain_messages(dialect);
        messages.extend(
            RejectReason::ALL
                .map(|reason| ServerMessage::CallRejected { call_id: CALL_ID.into(), reason }),
        );
        messages.extend(
            EndReason::ALL
                .map(|reason| ServerMessage::CallEnded { call_id: CALL_ID.into(), reason }),
        );
        messages.extend(ErrorCode::ALL.map(|code| ServerMessage::Error {
            code,
            message: "words".into(),
            retry_after_ms: self.with_options.then_some(self.number),
        }));
        messages.retain(|message| dialect.has(message));
        messages
    }

    fn plain_messages(&self, dialect: Dialect) -> Vec<ServerMessage<'_>> {
        let id = || ClientId::try_from(&*self.client_id).unwrap();
        let call_id = || CALL_ID.into();
        let opaque = Opaque::from_stored(&self.sealed).unwrap();
        let ice_servers = || self.with_options.then(|| RELAYS.into());
        let resumption = (dialect == Dialect::Two).then(|| self.resumption());
        vec![
            ServerMessage::Registered(Registered { client_id: id(), resumption }),
            ServerMessage::CallInitiated {
                call_id: call_id(),
                target_id: id(),
                ice_servers: ice_servers(),
            },
            ServerMessage::CallRinging { call_id: call_id() },
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
            ServerMessage::IceCandidate { call_id: call_id(), candidate: opaque },
            ServerMessage::CallSignal { call_id: call_id(), data: opaque },
            ServerMessage::PkdResult {
                client_id: id(),
                public_key: (self.with_options && self.sealed.len() <= 4098).then_some(opaque),
            },
            ServerMessage::TurnCredentials {
                ice_servers: if self.with_options { RELAYS.into() } else { "[]".into() },
                ttl_seconds: self.number,
            },
            ServerMessage::HeartbeatAck,
        ]
    }

    fn resumption(&self) -> Resumption<'_> {
        Resumption {
            resume_token: "u6KqZvtJ0T5mWw".into(),
            resumed: self.with_options,
            heartbeat_seconds: self.number,
            message_bytes_max: 65_536,
            rates: MessageRates::default(),
        }
    }
}

/// The message as the server sends it in this dialect: numbered, and naming its request, where the
/// document describes that.
fn text(message: ServerMessage<'_>, dialect: Dialect, seq: u64) -> Value {
    let description = server::of(&message);
    let seq = (dialect == Dialect::Two && description.is_numbered).then_some(seq);
    let reply_to = description.is_answer().then(|| Opaque::from_stored(r#""7""#).unwrap());
    let mut text = String::new();
    Reply { message, dialect, seq, reply_to }.encode(&mut text);
    serde_json::from_str(&text).unwrap()
}

/// Every message with every field that it can have.
fn every_whole_message() -> Vec<(u8, Value)> {
    let content = Content {
        client_id: "alice".into(),
        sealed: json!("sealed").to_string(),
        with_options: true,
        number: 7,
    };
    let mut all = Vec::new();
    for (number, dialect) in DIALECTS {
        let messages = content.messages(dialect);
        all.extend(messages.into_iter().map(|message| (number, text(message, dialect, 1))));
    }
    all
}

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::new);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_server_sends_is_valid_in_its_dialect(
        content in any_content(),
        seq in 1..=limits::NUMBER_MAX,
    ) {
        for (number, dialect) in DIALECTS {
            for message in content.messages(dialect) {
                let text = text(message, dialect, seq);
                prop_assert!(SCHEMAS.takes("server", number, &text), "{}", text);
            }
        }
    }
}

#[test]
fn the_messages_of_these_tests_are_all_there_are() {
    for (number, dialect) in DIALECTS {
        for description in server::all().into_iter().filter(|each| each.is_in(dialect)) {
            let found = every_whole_message()
                .into_iter()
                .any(|(of, message)| of == number && message["type"] == description.wire_type);
            assert!(found, "no {} in the tests", description.wire_type);
        }
    }
}

#[test]
fn each_dialect_has_the_documented_messages() {
    let content = Content {
        client_id: "alice".into(),
        sealed: json!("").to_string(),
        with_options: true,
        number: 7,
    };
    for (_, dialect) in DIALECTS {
        for message in content.messages(Dialect::Two) {
            assert_eq!(server::of(&message).is_in(dialect), dialect.has(&message), "{message:?}");
        }
    }
}

#[test]
fn the_described_fields_are_those_that_the_encoder_writes() {
    for (number, dialect) in DIALECTS {
        for description in server::all().into_iter().filter(|each| each.is_in(dialect)) {
            let of_this = |(of, message): &(u8, Value)| {
                *of == number && message["type"] == description.wire_type
            };
            // A field may go with one value of another: no message has all of them then.
            let messages: Vec<_> = every_whole_message().into_iter().filter(of_this).collect();
            let fields =
                |(_, message): &(u8, Value)| message["payload"].as_object().unwrap().clone();
            let written: BTreeSet<_> =
                messages.iter().flat_map(fields).map(|(name, _)| name).collect();
            let described: BTreeSet<_> =
                description.fields_in(dialect).map(|field| field.name.to_owned()).collect();
            assert_eq!(written, described, "{}", description.wire_type);
        }
    }
}

#[test]
fn a_field_that_is_missing_is_noticed() {
    let schemas = Schemas::new();
    for (number, message) in every_whole_message() {
        for (name, less) in with_one_field_less(&message) {
            let optional = server::all().iter().any(|description| {
                description.wire_type == message["type"].as_str().unwrap()
                    && description
                        .fields
                        .iter()
                        .any(|field| field.name == name && field.presence == Presence::Sometimes)
            });
            let may_miss = optional || name == "replyTo";
            assert_eq!(schemas.takes("server", number, &less), may_miss, "{name}: {less}");
        }
    }
}

#[test]
fn a_field_too_many_is_noticed() {
    let schemas = Schemas::new();
    for (number, message) in every_whole_message() {
        for place in ["", "/payload"] {
            let mut more = message.clone();
            more.pointer_mut(place).unwrap()["later"] = json!(1);
            assert!(!schemas.takes("server", number, &more), "{more}");
        }
    }
}

#[test]
fn a_message_of_dialect_2_is_not_in_dialect_1() {
    let schemas = Schemas::new();
    for (_, message) in every_whole_message().into_iter().filter(|(number, _)| *number == 2) {
        // A message without a number and without fields of dialect 2 is the same in both.
        let differs = message.get("seq").is_some() || message["type"] == "REGISTERED";
        assert_eq!(schemas.takes("server", 1, &message), !differs, "{message}");
    }
}
