//! Kinds of values: each is one entry of `components/schemas`.

use securecall_protocol::{
    ClientId, DefaultRate, EndReason, ErrorCode, MessageClass, MessageType, RejectReason,
};
use serde_json::{Value, json};

use crate::{codes, limits};

/// The kind of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A client's id.
    ClientId,
    /// A call's id.
    CallId,
    /// A string that the server does not look into.
    Opaque,
    /// A key of the directory, opaque too.
    PublicKey,
    /// A key, or null.
    PublicKeyOrNull,
    /// The token that resumes a registration.
    ResumeToken,
    /// The `id` of a request, and the `replyTo` of its answer.
    RequestId,
    /// The number of a message.
    Seq,
    /// The number of the last message that a client has received; 0 before the first.
    Acknowledged,
    /// The number of the dialect: 2.
    Protocol,
    /// The number of the latest dialect that a client speaks.
    ProtocolRequested,
    /// Yes or no.
    Flag,
    /// The calls that a client presents when it registers.
    PresentedCalls,
    /// Why a call was rejected.
    RejectReason,
    /// Why a call is over.
    EndReason,
    /// Why a message was refused.
    ErrorCode,
    /// A sentence for the developer of a client.
    Words,
    /// A time in milliseconds.
    Milliseconds,
    /// A time in seconds.
    Seconds,
    /// The difference of two clocks, in seconds, either way.
    ClockSeconds,
    /// A size in bytes.
    Bytes,
    /// A rate for each class of messages.
    MessageRates,
    /// TURN servers, at least one.
    IceServers,
    /// TURN servers; an empty list if the server has no TURN.
    IceServersIfAny,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::ClientId,
        Self::CallId,
        Self::Opaque,
        Self::PublicKey,
        Self::PublicKeyOrNull,
        Self::ResumeToken,
        Self::RequestId,
        Self::Seq,
        Self::Acknowledged,
        Self::Protocol,
        Self::ProtocolRequested,
        Self::Flag,
        Self::PresentedCalls,
        Self::RejectReason,
        Self::EndReason,
        Self::ErrorCode,
        Self::Words,
        Self::Milliseconds,
        Self::Seconds,
        Self::ClockSeconds,
        Self::Bytes,
        Self::MessageRates,
        Self::IceServers,
        Self::IceServersIfAny,
    ];

    /// The name under which the document has its schema.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// A reference to its schema.
    pub(crate) fn reference(self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name()) })
    }

    pub(crate) fn schema(self) -> Value {
        match self {
            Self::ClientId => text_like(&client_id_pattern(), "The id that a client chose."),
            Self::CallId => {
                let pattern = format!("^[a-zA-Z0-9_-]{{1,{}}}$", limits::CALL_ID_CHARS_MAX);
                text_like(
                    &pattern,
                    "Assigned by the server. Knowing it proves that a client belongs to the call.",
                )
            }
            Self::Opaque => json!({
                "type": "string",
                "description": "Sealed for the other end: arrives byte for byte as it was sent.",
            }),
            Self::PublicKey => public_key(&json!("string")),
            Self::PublicKeyOrNull => public_key(&json!(["string", "null"])),
            Self::ResumeToken => text_like("^[a-zA-Z0-9_-]{1,64}$", "A secret of the client."),
            Self::RequestId => json!({
                "type": "string",
                "minLength": 1,
                "maxLength": limits::REQUEST_ID_CHARS_MAX,
                "description": "Chosen by the client; the answer repeats it.",
            }),
            Self::Seq => {
                number(1, "1, 2, 3, … without a gap, over all connections of one registration.")
            }
            Self::Acknowledged => number(0, "A `seq`, or 0. Written in digits alone."),
            Self::Protocol => json!({ "const": 2, "description": "Written as the digit alone." }),
            Self::ProtocolRequested => {
                number(2, "The server answers a later one than 2 in dialect 2. Digits alone.")
            }
            Self::Flag => json!({ "type": "boolean" }),
            Self::PresentedCalls => presented_calls(),
            Self::RejectReason => {
                one_of(RejectReason::ALL.map(|r| (r.as_str(), codes::reject_reason(r))))
            }
            Self::EndReason => one_of(EndReason::ALL.map(|r| (r.as_str(), codes::end_reason(r)))),
            Self::ErrorCode => one_of(ErrorCode::ALL.map(|c| (c.as_str(), codes::error_code(c)))),
            Self::Words => json!({
                "type": "string",
                "description": "May change from version to version: decide by the code.",
            }),
            Self::Milliseconds => number(0, "Milliseconds."),
            Self::Seconds => number(0, "Seconds."),
            Self::ClockSeconds => json!({
                "type": "integer",
                "minimum": i32::MIN,
                "maximum": i32::MAX,
                "description": "Seconds; below zero: behind.",
            }),
            Self::Bytes => number(1, "Bytes."),
            Self::MessageRates => message_rates(),
            Self::IceServers => ice_servers(1),
            Self::IceServersIfAny => ice_servers(0),
        }
    }

    /// A value that fits.
    pub(crate) fn example(self) -> Value {
        match self {
            Self::ClientId => json!("alice"),
            Self::CallId => json!("j0lhhlXyWKTD"),
            Self::Opaque => json!("v=0…"),
            Self::PublicKey | Self::PublicKeyOrNull => json!("MCowBQYDK2VuAyEA…"),
            Self::ResumeToken => json!("u6KqZvtJ0T5mWw"),
            Self::RequestId => json!("7"),
            Self::Seq | Self::Acknowledged => json!(41),
            Self::Protocol | Self::ProtocolRequested => json!(2),
            Self::Flag => json!(true),
            Self::PresentedCalls => json!([{ "callId": "j0lhhlXyWKTD", "answered": true }]),
            Self::RejectReason => json!(RejectReason::Clock { ahead_seconds: 0 }.as_str()),
            Self::EndReason => json!(EndReason::Hangup.as_str()),
            Self::ErrorCode => json!(ErrorCode::RateLimited.as_str()),
            Self::Words => json!("too many messages of this kind"),
            Self::Milliseconds => json!(200),
            Self::Seconds => json!(25),
            Self::ClockSeconds => json!(-420),
            Self::Bytes => json!(limits::MESSAGE_BYTES_MAX),
            Self::MessageRates => of_each_class(|class| {
                let DefaultRate { burst, per_second } = class.default_rate();
                json!({ "burst": burst, "intervalMs": (1000.0 / per_second) as u64 })
            }),
            Self::IceServers | Self::IceServersIfAny => json!([{
                "urls": ["turn:a.relay.metered.ca:443?transport=tcp"],
                "username": "1767229200:1_M3qR6iXNdGP1B_",
                "credential": "3bAgu/dtl2eppcXtxwB43L4mDHA=",
            }]),
        }
    }
}

fn client_id_pattern() -> String {
    format!("^[a-zA-Z0-9_-]{{1,{}}}$", ClientId::LENGTH_MAX)
}

fn text_like(pattern: &str, description: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "description": description })
}

fn number(minimum: u64, description: &str) -> Value {
    json!({
        "type": "integer",
        "minimum": minimum,
        "maximum": limits::NUMBER_MAX,
        "description": description,
    })
}

fn one_of<const N: usize>(words: [(&'static str, &'static str); N]) -> Value {
    let description = words.map(|(word, meaning)| format!("`{word}`: {meaning}")).join("\n\n");
    json!({ "enum": Vec::from(words.map(|(word, _)| word)), "description": description })
}

fn public_key(of_type: &Value) -> Value {
    json!({
        "type": of_type,
        "maxLength": limits::KEY_BYTES_MAX,
        "description": "A key of the directory. Opaque, and no longer than this in bytes of JSON.",
    })
}

fn presented_calls() -> Value {
    json!({
        "type": "array",
        "maxItems": limits::PRESENTED_MAX,
        "items": {
            "type": "object",
            "required": ["callId"],
            "properties": {
                "callId": Kind::CallId.reference(),
                "answered": {
                    "type": "boolean",
                    "default": false,
                    "description": "True if the call was answered, as far as the client knows.",
                },
            },
        },
    })
}

/// A message costs its class what `MessageClass::of` says.
fn message_rates() -> Value {
    let rate = |class: MessageClass| {
        let types = MessageType::ALL.into_iter().filter(|one| MessageClass::of(*one) == class);
        let mut names: Vec<_> = types.map(MessageType::as_str).collect();
        if class == MessageClass::Other {
            names.push("what cannot be read");
        }
        json!({
            "type": "object",
            "required": ["burst", "intervalMs"],
            "properties": {
                "burst": number(1, "Messages at once."),
                "intervalMs": number(1, "Milliseconds until one more, after that."),
            },
            "description": format!("{}.", names.join(", ")),
        })
    };
    json!({
        "type": "object",
        "required": MessageClass::ALL.map(MessageClass::as_str),
        "properties": of_each_class(rate),
        "description": "Token buckets. A class that is not named here may be added.",
    })
}

fn of_each_class(value: impl Fn(MessageClass) -> Value) -> Value {
    MessageClass::ALL.into_iter().map(|class| (class.as_str().to_owned(), value(class))).collect()
}

fn ice_servers(items_min: u64) -> Value {
    json!({
        "type": "array",
        "minItems": items_min,
        "maxItems": 1,
        "items": {
            "type": "object",
            "required": ["urls", "username", "credential"],
            "additionalProperties": false,
            "properties": {
                "urls": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 8,
                    "items": { "type": "string", "pattern": "^(turns?|stun):[!-~]+$" },
                },
                "username": text_like(
                    "^[0-9]+:[a-zA-Z0-9_-]{16}$",
                    "Unix time of expiry, and a name that reveals nothing to others.",
                ),
                "credential": { "type": "string" },
            },
        },
    })
}
