//! The body of a close frame (RFC 6455, sections 5.5.1 and 7.4).

use std::borrow::Cow;

use crate::ProtocolError;

/// The close codes of RFC 6455 and of the IANA registry that a program here sends or looks for.
pub mod code {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: u16 = 1000;
    /// An endpoint goes away: the page is left, the server ends.
    pub const GOING_AWAY: u16 = 1001;
    /// A rule of the protocol was broken.
    pub const PROTOCOL_ERROR: u16 = 1002;
    /// A kind of message that this endpoint does not take.
    pub const UNSUPPORTED: u16 = 1003;
    /// Bytes that do not fit the kind of the message: text that is not UTF-8.
    pub const INVALID_PAYLOAD: u16 = 1007;
    /// A rule of the application was broken.
    pub const POLICY_VIOLATION: u16 = 1008;
    /// A message over the limit.
    pub const MESSAGE_TOO_BIG: u16 = 1009;
    /// The server met a condition that it did not expect.
    pub const INTERNAL_ERROR: u16 = 1011;
    /// The server restarts; come back after a random delay.
    pub const SERVICE_RESTART: u16 = 1012;
    /// The server is overloaded; come back later.
    pub const TRY_AGAIN_LATER: u16 = 1013;
}

/// Why an endpoint closes: a code for programs, a text for people who read a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason<'b> {
    /// The close code. Decoded ones are valid on the wire; written ones are the caller's duty.
    pub code: u16,
    /// The text after the code, often empty. At most 123 bytes of it are written.
    pub text: Cow<'b, str>,
}

impl<'b> CloseReason<'b> {
    /// A reason with a text of our own.
    pub const fn new(code: u16, text: &'b str) -> Self {
        Self { code, text: Cow::Borrowed(text) }
    }

    /// Parses the body of a close frame. Returns `None` if it is empty, so that there is no code.
    pub(crate) fn parse(body: Cow<'b, [u8]>) -> Result<Option<Self>, ProtocolError> {
        let code = match *body {
            [] => return Ok(None),
            [_] => return Err(ProtocolError::CloseCodeCut),
            [high, low, ..] => u16::from_be_bytes([high, low]),
        };
        if !may_be_sent(code) {
            return Err(ProtocolError::CloseCodeInvalid(code));
        }
        let text = match body {
            Cow::Borrowed(body) => utf8(&body[2..])?.into(),
            Cow::Owned(body) => utf8(&body[2..])?.to_owned().into(),
        };
        Ok(Some(Self { code, text }))
    }
}

fn utf8(text: &[u8]) -> Result<&str, ProtocolError> {
    std::str::from_utf8(text).map_err(|_| ProtocolError::CloseReasonNotUtf8)
}

/// Returns true if a close frame may carry `code`: the codes that RFC 6455 defines for the wire,
/// the later ones that IANA registered (1012–1014), and the ranges for libraries and applications.
/// 1004 has no meaning, and 1005, 1006 and 1015 exist only inside programs.
const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
