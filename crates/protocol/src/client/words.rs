//! Ids and reasons between JSON and their types.

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

use crate::{ClientId, EndReason, ErrorCode, RejectReason};

// serde hands these functions what it has: references.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) fn reject_reason<S: Serializer>(
    reason: &RejectReason,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.serialize_str(reason.as_str())
}

pub(super) fn client_id<S: Serializer>(id: &ClientId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(id.as_str())
}

pub(super) fn read_client_id<'de, D: Deserializer<'de>>(from: D) -> Result<ClientId, D::Error> {
    let text = String::deserialize(from)?;
    ClientId::try_from(text.as_str()).map_err(D::Error::custom)
}

/// A reason that is not known, as a later server may have one, is the nearest one that is.
pub(super) fn end_reason(text: Option<&str>) -> Option<EndReason> {
    let text = text?;
    let known = EndReason::ALL.into_iter().find(|reason| reason.as_str() == text);
    Some(known.unwrap_or(EndReason::Hangup))
}

pub(super) fn read_reject_reason(text: Option<&str>) -> RejectReason {
    let busy = text == Some(RejectReason::Busy.as_str());
    if busy { RejectReason::Busy } else { RejectReason::Declined }
}

pub(super) fn error_code(text: &str) -> Option<ErrorCode> {
    ErrorCode::ALL.into_iter().find(|code| code.as_str() == text)
}
