//! Delivery rules for mail whose receiver is absent, is behind, or is on a node that drains.
//!
//! The owner of the sessions asks two questions. If the receiver has a session: does the session
//! get the mail at all ([`refusal`])? If it has no session: is the client expected back, so that a
//! new one takes the mail ([`deliver_to_absent`])? A third question is asked for the sender: must its
//! session learn the outcome ([`needs_report`])?

use securecall_protocol::ClientId;

use crate::context::Context;
use crate::mail::{Content, Mail, Outcome};
use crate::session::Session;
use crate::time::UnixTime;

/// The client that mail is for, as its session's owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver<B> {
    /// It has a connection. `B` returns true if the client does not keep up with its messages; that
    /// may cost a write to its socket, and is asked only if the answer matters.
    Connected(B),
    /// It has no connection, and may come back.
    Away,
}

/// Returns the outcome of mail that a session is not even given; `None` if it is given the mail.
///
/// Another client's offers must not be what a slow reader is closed for: to a client that is behind,
/// a ring is refused as `Busy`. On a node that drains, mail that is deferred for a client that is away
/// would end with the process: it is refused as `Unavailable`, so that its sender tries again.
pub fn refusal<B: FnOnce() -> bool>(
    mail: &Mail<'_>,
    receiver: Receiver<B>,
    is_draining: impl FnOnce() -> bool,
) -> Option<Outcome> {
    match receiver {
        Receiver::Connected(is_behind) => (mail.is_ring() && is_behind()).then_some(Outcome::Busy),
        Receiver::Away => is_draining().then_some(Outcome::Unavailable),
    }
}

/// Delivers mail to a client without a session: it is offline, unless the mail proves that it was in
/// a call which a restart has cut off. Returns the session of a client that is expected back, with
/// the mail deferred in it.
///
/// `server_started` is as in [`Session::new`].
///
/// # Errors
/// `Offline`, which becomes TARGET_NOT_FOUND for the sender of a ring; `Unavailable` on a node that
/// drains, from which the client may have moved to another.
pub fn deliver_to_absent(
    cx: &Context<'_>,
    from: &ClientId,
    to: &ClientId,
    mail: &Mail<'_>,
    server_started: UnixTime,
    is_draining: bool,
) -> Result<Session, Outcome> {
    if is_draining {
        return Err(Outcome::Unavailable);
    }
    // A ring begins a call, so no restart has cut it off.
    if mail.is_ring() {
        return Err(Outcome::Offline);
    }
    let mut session = Session::expected(to.clone(), server_started, cx);
    let receipt = session.handle_mail(cx, from, mail);
    // A client that is away is sent nothing, and a session without calls has no peers to write to.
    debug_assert!(receipt.outputs.is_empty(), "an expected session is silent");
    match receipt.outcome {
        Outcome::Delivered => Ok(session),
        _ => Err(Outcome::Offline),
    }
}

/// Returns true if the session that sent the mail must learn its outcome, with
/// [`Session::handle_outcome`]: of every ring, and of other mail when it was not delivered.
pub fn needs_report(mail: &Mail<'_>, outcome: Outcome) -> bool {
    outcome != Outcome::Delivered || mail.is_ring()
}

impl Mail<'_> {
    /// Returns true for the mail that begins a call.
    pub fn is_ring(&self) -> bool {
        matches!(self.content, Content::Ring { .. })
    }
}
