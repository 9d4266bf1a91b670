//! Requests that have an answer of their own: to the directory, and for TURN credentials.

use std::time::{Duration, Instant};

use securecall_protocol::client::Outgoing;

use super::MessageId;
use crate::command::Reply;
use crate::{CallId, Error, LookedUp, TurnCredentials};

/// Time for an answer, through losses of the connection and refusals of the server.
const EXPIRES_AFTER: Duration = Duration::from_secs(30);
/// Bound of the requests without an answer.
const PENDING_MAX: usize = 64;

/// The use of the answer.
pub(crate) enum Purpose {
    /// The directory is to hold this client's key.
    PublishKey,
    /// A call to somebody, whose key is wanted.
    CalleeKey(CallId),
    /// A call of somebody, whose key is wanted.
    CallerKey(CallId),
    Lookup(Reply<LookedUp>),
    TurnCredentials(Reply<TurnCredentials>),
}

/// A request without an answer.
pub(crate) struct Request {
    id: MessageId,
    pub(crate) message: Outgoing,
    pub(crate) purpose: Purpose,
    /// `None`: it is sent until it is answered.
    expires_at: Option<Instant>,
    /// It was sent on this connection.
    sent: bool,
    not_before: Option<Instant>,
}

/// The result of a refusal.
pub(crate) enum Refused {
    /// The request is sent again, later.
    ForNow {
        /// It publishes this client's key.
        publishes: bool,
    },
    /// Nobody will answer it.
    ForGood(Purpose),
}

/// The requests without an answer, in the order in which they were made.
#[derive(Default)]
pub(super) struct PendingRequests(Vec<Request>);

impl PendingRequests {
    /// Takes a request. `Err`: its purpose, if there are too many of them.
    pub(super) fn push(
        &mut self,
        id: MessageId,
        message: Outgoing,
        purpose: Purpose,
        now: Instant,
    ) -> Result<(), Purpose> {
        if self.0.len() >= PENDING_MAX {
            return Err(purpose);
        }
        let expires_at = Some(now + EXPIRES_AFTER);
        self.0.push(Request { id, message, purpose, expires_at, sent: false, not_before: None });
        Ok(())
    }

    /// Takes the request that publishes this client's key, before all others, unless it is there.
    pub(super) fn push_publication(&mut self, id: MessageId, message: Outgoing) {
        if self.0.iter().any(Request::publishes) {
            return;
        }
        let (purpose, expires_at, not_before) = (Purpose::PublishKey, None, None);
        let request = Request { id, message, purpose, expires_at, sent: false, not_before };
        self.0.insert(0, request);
    }

    /// The first end of the time for an answer.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().filter_map(|request| request.expires_at).min()
    }

    /// The next time, after this one, at which a request that was refused for now may be sent.
    pub(super) fn retry_at(&self, after: Option<Instant>) -> Option<Instant> {
        let unsent = self.0.iter().filter(|request| !request.sent);
        unsent.filter_map(|request| request.not_before).filter(|at| Some(*at) > after).min()
    }

    /// A new connection: nothing of what was asked will be answered on it.
    pub(super) fn ask_again(&mut self) {
        for request in &mut self.0 {
            request.sent = false;
        }
    }

    /// The next one to send.
    pub(super) fn next(&self, now: Instant) -> Option<(MessageId, &Outgoing)> {
        let due = |request: &&Request| {
            !request.sent && request.not_before.is_none_or(|not_before| not_before <= now)
        };
        // What the application asks goes before what others cause by calling.
        let is_own = |request: &&Request| !matches!(request.purpose, Purpose::CallerKey(_));
        let own = self.0.iter().find(|request| due(request) && is_own(request));
        own.or_else(|| self.0.iter().find(due)).map(|request| (request.id, &request.message))
    }

    pub(super) fn sent(&mut self, id: MessageId) {
        for request in self.0.iter_mut().filter(|request| request.id == id) {
            request.sent = true;
        }
    }

    /// Takes the request that is answered: by its id, or for a server that does not name it the
    /// oldest. An answer that does not fit it answers nothing.
    pub(super) fn take(
        &mut self,
        id: Option<MessageId>,
        fits: impl Fn(&Outgoing) -> bool,
    ) -> Option<Request> {
        let named = |request: &Request| id.map_or(request.sent, |id| request.id == id);
        let at = self.0.iter().position(|request| named(request) && fits(&request.message))?;
        Some(self.0.remove(at))
    }

    /// The server refused a request; it is sent again at `retry_at`, if there is such a time.
    /// `None`: there is no such request.
    pub(super) fn refuse(
        &mut self,
        id: Option<MessageId>,
        retry_at: Option<Instant>,
    ) -> Option<Refused> {
        let mut request = self.take(id, |_| true)?;
        let Some(retry_at) = retry_at else { return Some(Refused::ForGood(request.purpose)) };
        let publishes = request.publishes();
        request.not_before = Some(retry_at);
        request.sent = false;
        self.0.insert(0, request);
        Some(Refused::ForNow { publishes })
    }

    /// Takes those whose time for an answer is over.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Purpose> {
        let expired = |request: &mut Request| request.expires_at.is_some_and(|at| at <= now);
        self.0.extract_if(.., expired).map(|request| request.purpose).collect()
    }

    /// Takes all of them.
    pub(super) fn take_all(&mut self) -> Vec<Purpose> {
        self.0.drain(..).map(|request| request.purpose).collect()
    }
}

impl Request {
    const fn publishes(&self) -> bool {
        matches!(self.purpose, Purpose::PublishKey)
    }
}

impl Purpose {
    /// Answers the application, if it is the one that asked.
    pub(crate) fn fail(self, error: Error) {
        match self {
            Self::Lookup(reply) => drop(reply.send(Err(error))),
            Self::TurnCredentials(reply) => drop(reply.send(Err(error))),
            Self::PublishKey | Self::CalleeKey(_) | Self::CallerKey(_) => {}
        }
    }
}
