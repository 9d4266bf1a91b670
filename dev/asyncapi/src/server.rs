//! Messages from the server: the table.

use securecall_protocol::{Registered, Resumption, ServerMessage};

use crate::description::{Occasion, described_messages};
use crate::{Description, Field, Kind};

const CALL_ID: Field = Field::always("callId", Kind::CallId, "Which call.");
const CLOCK: Field = Field::sometimes(
    "clockAheadSeconds",
    Kind::ClockSeconds,
    "Goes with `clock`: how far the caller's clock is ahead of the callee's.",
);
const RELAYS: Field = Field::sometimes(
    "iceServers",
    Kind::IceServers,
    "Relays for `RTCPeerConnection`. Missing: the server has no TURN.",
);

described_messages!(ServerMessage<'_> {
    ServerMessage::Registered(Registered {
        client_id: _,
        resumption:
            None
            | Some(Resumption {
                resume_token: _,
                resumed: _,
                heartbeat_seconds: _,
                message_bytes_max: _,
            }),
    }) => Description::new(
        "REGISTERED",
        "The id is this connection's.",
        &[
            Field::always("clientId", Kind::ClientId, "Who is registered."),
            Field::always("protocol", Kind::Protocol, "Dialect 2 is spoken.").of_dialect_2(),
            Field::always(
                "resumeToken",
                Kind::ResumeToken,
                "Presented in the next REGISTER, it resumes this registration.",
            )
            .of_dialect_2(),
            Field::always(
                "resumed",
                Kind::Flag,
                "Whether an earlier registration was resumed: what it missed follows.",
            )
            .of_dialect_2(),
            Field::always(
                "heartbeatSeconds",
                Kind::Seconds,
                "The longest silence of the server: then it pings.",
            )
            .of_dialect_2(),
            Field::always(
                "maxMessageBytes",
                Kind::Bytes,
                "The largest message that the server takes.",
            )
            .of_dialect_2(),
        ],
    )
    .on(Occasion::Asked)
    .without_number(),
    ServerMessage::CallInitiated { call_id: _, target_id: _, ice_servers: _ } => Description::new(
        "CALL_INITIATED",
        "The call has an id, and the callee is being rung.",
        &[CALL_ID, Field::always("targetId", Kind::ClientId, "Who is rung."), RELAYS],
    )
    .of_dialect_2()
    // Unasked when it comes again, to a caller that has reconnected.
    .on(Occasion::Either),
    ServerMessage::CallRinging { call_id: _ } => Description::new(
        "CALL_RINGING",
        "The callee's device alerts.",
        &[CALL_ID],
    )
    .of_dialect_2(),
    ServerMessage::IncomingCall { call_id: _, caller_id: _, sdp_offer: _, ice_servers: _ } => {
        Description::new(
            "INCOMING_CALL",
            "Somebody rings. Comes again, with the same callId, after the callee has reconnected.",
            &[
                CALL_ID,
                Field::always("callerId", Kind::ClientId, "Who rings."),
                Field::always("sdpOffer", Kind::Opaque, "The caller's offer."),
                RELAYS,
            ],
        )
    },
    ServerMessage::CallAccepted { call_id: _, sdp_answer: _, ice_servers: _ } => Description::new(
        "CALL_ACCEPTED",
        "The callee answered.",
        &[CALL_ID, Field::always("sdpAnswer", Kind::Opaque, "The callee's answer."), RELAYS],
    ),
    ServerMessage::CallRejected { call_id: _, reason: _ } => Description::new(
        "CALL_REJECTED",
        "The callee declined, or is busy.",
        &[
            CALL_ID,
            Field::always("reason", Kind::RejectReason, "Why.").of_dialect_2(),
            CLOCK.of_dialect_2(),
        ],
    )
    // It is requested when the callee turns out to be in too many calls.
    .on(Occasion::Either),
    ServerMessage::CallEnded { call_id: _, reason: _ } => Description::new(
        "CALL_ENDED",
        "The call is over.",
        &[CALL_ID, Field::always("reason", Kind::EndReason, "Why.").of_dialect_2()],
    ),
    ServerMessage::IceCandidate { call_id: _, candidate: _ } => Description::new(
        "ICE_CANDIDATE",
        "A candidate of the other end.",
        &[CALL_ID, Field::always("candidate", Kind::Opaque, "The candidate.")],
    ),
    ServerMessage::CallSignal { call_id: _, data: _ } => Description::new(
        "CALL_SIGNAL",
        "Something else of the other end.",
        &[CALL_ID, Field::always("data", Kind::Opaque, "What.")],
    )
    .of_dialect_2(),
    ServerMessage::PkdResult { client_id: _, public_key: _ } => Description::new(
        "PKD_RESULT",
        "What the directory holds.",
        &[
            Field::always("clientId", Kind::ClientId, "Whose key."),
            Field::always("publicKey", Kind::PublicKeyOrNull, "The key; null: none is known."),
        ],
    )
    .on(Occasion::Asked),
    ServerMessage::TurnCredentials { ice_servers: _, ttl_seconds: _ } => Description::new(
        "TURN_CREDENTIALS",
        "Fresh relay credentials.",
        &[
            Field::always(
                "iceServers",
                Kind::IceServersIfAny,
                "Relays for `RTCPeerConnection`; empty: the server has no TURN.",
            ),
            Field::always("ttlSeconds", Kind::Seconds, "How long the credentials live."),
        ],
    )
    .on(Occasion::Asked),
    ServerMessage::HeartbeatAck => {
        Description::new("HEARTBEAT_ACK", "Heard you.", &[]).on(Occasion::Asked)
    },
    ServerMessage::Error { code: _, message: _, retry_after_ms: _ } => Description::new(
        "ERROR",
        "A message was refused. The connection lives on.",
        &[
            Field::always("code", Kind::ErrorCode, "Which rule."),
            Field::always("message", Kind::Words, "The rule in words, for the developer."),
            Field::sometimes(
                "retryAfterMs",
                Kind::Milliseconds,
                "After how many milliseconds asking again helps. Missing: it does not.",
            )
            .of_dialect_2(),
        ],
    )
    .on(Occasion::Asked),
});
