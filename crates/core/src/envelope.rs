//! The bytes that are added to an opaque field when it is passed on.
//!
//! A client has a bound for what it takes, often the one that it knows for what it sends. So nothing
//! that we send is longer than the longest message that we take: what is opaque may have what is left
//! of that beside the longest envelope.

use securecall_protocol::{ClientId, REQUEST_ID_BYTES_MAX};

use crate::call_id;

/// The digits of the greatest number.
const NUMBER_BYTES_MAX: usize = u64::MAX.ilog10() as usize + 1;

/// INCOMING_CALL without its offer and its ICE servers. It has the longest names and one id more
/// than any other message with an opaque field of a call, and such messages name no request.
const CALL_BYTES_MAX: usize = r#"{"type":"INCOMING_CALL","payload":{"callId":"","callerId":"","#
    .len()
    + r#""sdpOffer":"","iceServers":},"seq":}"#.len()
    + call_id::TEXT_BYTES_MAX
    + ClientId::LENGTH_MAX
    + NUMBER_BYTES_MAX;

/// PKD_RESULT without its key, in bytes: it answers a request, and so repeats its `id`.
pub const KEY_ENVELOPE_BYTES_MAX: usize =
    r#"{"type":"PKD_RESULT","payload":{"clientId":"","publicKey":""},"seq":,"replyTo":}"#.len()
        + ClientId::LENGTH_MAX
        + NUMBER_BYTES_MAX
        + REQUEST_ID_BYTES_MAX;

/// The least [`opaque_bytes_max`] that a server is of any use with. A message without an opaque field
/// (an answer that names its request, with ICE servers in it) is shorter than an envelope and this.
pub const OPAQUE_BYTES_MIN: usize = 1024;

/// The longest opaque field, in bytes of JSON without its quotes, where a message and its `iceServers`
/// have these bounds.
pub const fn opaque_bytes_max(message_bytes_max: usize, ice_servers_bytes_max: usize) -> usize {
    message_bytes_max.saturating_sub(CALL_BYTES_MAX + ice_servers_bytes_max)
}
