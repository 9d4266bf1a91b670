//! Ids and reasons between JSON and their types.

use serde::{Serialize, Serializer};

use crate::{ClientId, EndReason, ErrorCode, RejectReason};

// serde hands these functions what it has: references.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) fn reject_reason<S: Serializer>(
    reason: &RejectReason,
    to: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Fields {
        reason: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        clock_ahead_seconds: Option<i32>,
    }
    let (reason, clock_ahead_seconds) = (reason.as_str(), reason.clock_ahead_seconds());
    Fields { reason, clock_ahead_seconds }.serialize(to)
}

pub(super) fn client_id<S: Serializer>(id: &ClientId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(id.as_str())
}

/// A reason that is not known, as a later server may have one, is the nearest one that is.
pub(super) fn end_reason(text: Option<&str>) -> Option<EndReason> {
    let text = text?;
    let known = EndReason::ALL.into_iter().find(|reason| reason.as_str() == text);
    Some(known.unwrap_or(EndReason::Hangup))
}

pub(super) fn error_code(text: &str) -> Option<ErrorCode> {
    ErrorCode::ALL.into_iter().find(|code| code.as_str() == text)
}
