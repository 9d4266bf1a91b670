//! Messages from clients: the table.

use securecall_protocol::{CallMessage, ClientMessage, MessageType};

use crate::description::described_messages;
use crate::{Description, Field, Kind};

const CALL_ID: Field = Field::always("callId", Kind::CallId, "The id of the call.");
const CLOCK: Field = Field::sometimes(
    "clockAheadSeconds",
    Kind::ClockSeconds,
    "Comes with `clock`: the seconds that the caller's clock is ahead of the callee's.",
);

described_messages!(ClientMessage<'_> {
    // Its fields are one struct for both dialects, which a box holds; the tests take it apart.
    ClientMessage::Register(_) => request(
        MessageType::Register,
        "Registers this connection as that client.",
        &[
            Field::always("clientId", Kind::ClientId, "The client's id."),
            Field::always("protocol", Kind::ProtocolRequested, "The latest dialect that the client speaks.")
                .of_dialect_2(),
            Field::sometimes(
                "resumeToken",
                Kind::ResumeToken,
                "The token of the registration to resume. Missing: a new registration.",
            )
            .of_dialect_2(),
            Field::sometimes(
                "lastSeq",
                Kind::Acknowledged,
                "The number of the last message that the client has received; 0 before the first.",
            )
            .of_dialect_2(),
            Field::sometimes(
                "calls",
                Kind::PresentedCalls,
                "The calls that the client believes to be in.",
            )
            .of_dialect_2(),
        ],
    )
    .answered_by(&["REGISTERED"]),
    ClientMessage::Call(CallMessage::CallInitiate { target_id: _, sdp_offer: _ }) => request(
        MessageType::CallInitiate,
        "Calls another client.",
        &[
            Field::always("targetId", Kind::ClientId, "The client to call."),
            Field::always("sdpOffer", Kind::Opaque, "The caller's offer."),
        ],
    )
    .answered_by(&["CALL_INITIATED", "CALL_REJECTED"]),
    ClientMessage::Call(CallMessage::CallRinging { call_id: _ }) => request(
        MessageType::CallRinging,
        "The callee's device alerts. Sent by the callee, before it accepts.",
        &[CALL_ID],
    )
    .of_dialect_2(),
    ClientMessage::Call(CallMessage::CallAccept { call_id: _, sdp_answer: _ }) => request(
        MessageType::CallAccept,
        "The callee answers.",
        &[CALL_ID, Field::always("sdpAnswer", Kind::Opaque, "The callee's answer.")],
    ),
    ClientMessage::Call(CallMessage::CallReject { call_id: _, reason: _ }) => request(
        MessageType::CallReject,
        "The callee declines, before it has accepted.",
        &[
            CALL_ID,
            Field::sometimes("reason", Kind::RejectReason, "The reason. Missing: `declined`.")
                .of_dialect_2(),
            CLOCK.of_dialect_2(),
        ],
    ),
    ClientMessage::Call(CallMessage::CallEnd { call_id: _ }) => request(
        MessageType::CallEnd,
        "Either end hangs up, in any state.",
        &[CALL_ID],
    ),
    ClientMessage::Call(CallMessage::IceCandidate { call_id: _, candidate: _ }) => request(
        MessageType::IceCandidate,
        "A candidate for the other end.",
        &[CALL_ID, Field::always("candidate", Kind::Opaque, "The candidate.")],
    ),
    ClientMessage::Call(CallMessage::CallSignal { call_id: _, data: _ }) => request(
        MessageType::CallSignal,
        "Any other data for the other end, in a call that was answered.",
        &[CALL_ID, Field::always("data", Kind::Opaque, "The data.")],
    )
    .of_dialect_2(),
    ClientMessage::PkdRegister { client_id: _, public_key: _ } => request(
        MessageType::PkdRegister,
        "Puts the client's own public key into the directory.",
        &[
            Field::always("clientId", Kind::ClientId, "The client's own id."),
            Field::always("publicKey", Kind::PublicKey, "Its key."),
        ],
    )
    .answered_by(&["PKD_RESULT"]),
    ClientMessage::PkdLookup { client_id: _ } => request(
        MessageType::PkdLookup,
        "Looks up a client's public key.",
        &[Field::always("clientId", Kind::ClientId, "The client whose key it is.")],
    )
    .answered_by(&["PKD_RESULT"]),
    ClientMessage::TurnCredentials => request(
        MessageType::TurnCredentials,
        "Requests relay credentials.",
        &[],
    )
    .answered_by(&["TURN_CREDENTIALS"]),
    ClientMessage::Heartbeat => request(
        MessageType::Heartbeat,
        "Shows that the client is alive, if it cannot send WebSocket pings.",
        &[],
    )
    .answered_by(&["HEARTBEAT_ACK"]),
    ClientMessage::Ack { seq: _ } => request(
        MessageType::Ack,
        "Acknowledges every message up to this number. Not answered.",
        &[Field::always("seq", Kind::Acknowledged, "The number.")],
    )
    .of_dialect_2(),
});

fn request(message_type: MessageType, meaning: &'static str, fields: &[Field]) -> Description {
    Description::new(message_type.as_str(), meaning, fields)
}
