//! Messages from the server: the table.

use securecall_protocol::{Registered, Resumption, ServerMessage};

use crate::description::{Occasion, described_messages};
use crate::{Description, Field, Kind};

const CALL_ID: Field = Field::always("callId", Kind::CallId, "The id of the call.");
const CLOCK: Field = Field::sometimes(
    "clockAheadSeconds",
    Kind::ClockSeconds,
    "Comes with `clock`: the seconds that the caller's clock is ahead of the callee's.",
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
                rates: _,
            }),
    }) => Description::new(
        "REGISTERED",
        "The id is registered for this connection.",
        &[
            Field::always("clientId", Kind::ClientId, "The registered client."),
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
                "True if an earlier registration was resumed: the messages that it missed follow.",
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
                "The largest message that the server accepts.",
            )
            .of_dialect_2(),
            Field::always(
                "rates",
                Kind::MessageRates,
                "The rates at which the server accepts messages on this connection, as of now.",
            )
            .of_dialect_2(),
        ],
    )
    .on(Occasion::Requested)
    .without_number(),
    ServerMessage::CallInitiated { call_id: _, target_id: _, ice_servers: _ } => Description::new(
        "CALL_INITIATED",
        "The call has an id, and the callee is being rung.",
        &[CALL_ID, Field::always("targetId", Kind::ClientId, "The client that is rung."), RELAYS],
    )
    .of_dialect_2()
    // Not requested when it is sent again, to a caller that has reconnected.
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
            "A client is calling. Sent again, with the same callId, after the callee has reconnected.",
            &[
                CALL_ID,
                Field::always("callerId", Kind::ClientId, "The client that calls."),
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
            Field::always("reason", Kind::RejectReason, "The reason.").of_dialect_2(),
            CLOCK.of_dialect_2(),
        ],
    )
    // It answers CALL_INITIATE if the callee is in too many calls.
    .on(Occasion::Either),
    ServerMessage::CallEnded { call_id: _, reason: _ } => Description::new(
        "CALL_ENDED",
        "The call is over.",
        &[CALL_ID, Field::always("reason", Kind::EndReason, "The reason.").of_dialect_2()],
    ),
    ServerMessage::IceCandidate { call_id: _, candidate: _ } => Description::new(
        "ICE_CANDIDATE",
        "A candidate from the other end.",
        &[CALL_ID, Field::always("candidate", Kind::Opaque, "The candidate.")],
    ),
    ServerMessage::CallSignal { call_id: _, data: _ } => Description::new(
        "CALL_SIGNAL",
        "Other data from the other end.",
        &[CALL_ID, Field::always("data", Kind::Opaque, "The data.")],
    )
    .of_dialect_2(),
    ServerMessage::PkdResult { client_id: _, public_key: _ } => Description::new(
        "PKD_RESULT",
        "The key in the directory.",
        &[
            Field::always("clientId", Kind::ClientId, "The client whose key it is."),
            Field::always("publicKey", Kind::PublicKeyOrNull, "The key; null if the directory has none."),
        ],
    )
    .on(Occasion::Requested),
    ServerMessage::TurnCredentials { ice_servers: _, ttl_seconds: _ } => Description::new(
        "TURN_CREDENTIALS",
        "Fresh relay credentials.",
        &[
            Field::always(
                "iceServers",
                Kind::IceServersIfAny,
                "Relays for `RTCPeerConnection`; empty: the server has no TURN.",
            ),
            Field::always("ttlSeconds", Kind::Seconds, "The lifetime of the credentials."),
        ],
    )
    .on(Occasion::Requested),
    ServerMessage::HeartbeatAck => {
        Description::new("HEARTBEAT_ACK", "Answers HEARTBEAT.", &[]).on(Occasion::Requested)
    },
    ServerMessage::Error { code: _, message: _, retry_after_ms: _ } => Description::new(
        "ERROR",
        "A message was refused. The connection stays open.",
        &[
            Field::always("code", Kind::ErrorCode, "The rule that was broken."),
            Field::always("message", Kind::Words, "The rule in words, for the developer."),
            Field::sometimes(
                "retryAfterMs",
                Kind::Milliseconds,
                "The time after which a retry may succeed. Missing: a retry does not help.",
            )
            .of_dialect_2(),
        ],
    )
    .on(Occasion::Requested),
});
