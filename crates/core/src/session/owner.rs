//! The registrations that an answered call belongs to.
//!
//! A call id is shown to everybody who registers the callee's id while the call rings, so it proves
//! little once the call is answered. From then on a call of dialect 2 belongs to the registration
//! that answered it, or was told the answer: a later one shows that registration's token, or the
//! call is none of its calls.

use super::stream::Stream;

/// Tokens, each of which shows that a registration may have the call.
pub(super) struct Owner {
    /// The token of the last registration that had it.
    given: Box<str>,
    /// The one which that registration had shown: its REGISTERED may have been lost.
    shown: Option<Box<str>>,
}

impl Owner {
    /// The registration that `stream` belongs to.
    pub(super) fn new(stream: &Stream) -> Self {
        Self { given: stream.token().into(), shown: stream.shown().map(Into::into) }
    }

    /// Returns true if the registration of `stream` is the owner, or has shown a token of it.
    pub(super) fn admits(&self, stream: &Stream) -> bool {
        let is_ours = |token: &str| {
            let shown = self.shown.as_deref();
            same_token(token, &self.given) | shown.is_some_and(|shown| same_token(token, shown))
        };
        is_ours(stream.token()) | stream.shown().is_some_and(is_ours)
    }
}

/// Compares without telling by its time how much is right.
pub(super) fn same_token(left: &str, right: &str) -> bool {
    let difference = left.bytes().zip(right.bytes()).fold(0, |sum, (l, r)| sum | (l ^ r));
    left.len() == right.len() && difference == 0
}
