//! Requests that have an answer of their own: to the directory, and for TURN credentials.

use std::time::{Duration, Instant};

use securecall_protocol::client::{Incoming, Outgoing};
use securecall_protocol::{ClientId, ErrorCode};
use securecall_seal::DirectoryKey;

use super::ending::End;
use super::outbox::MessageId;
use super::{Context, Machine, Output};
use crate::command::Reply;
use crate::{CallId, Error, LookedUp, Stop, TurnCredentials};

/// Time for an answer, through losses of the connection and refusals of the server.
const EXPIRES_AFTER: Duration = Duration::from_secs(30);
/// Bound of the requests without an answer.
const WAITING_MAX: usize = 64;
/// Wait after a refusal for now that names no time.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The use of the answer.
pub(super) enum Purpose {
    /// The directory is to hold this client's key.
    PublishKey,
    /// A call to somebody, whose key is wanted.
    CalleeKey(CallId),
    /// A call of somebody, whose key is wanted.
    CallerKey(CallId),
    Lookup(Reply<LookedUp>),
    TurnCredentials(Reply<TurnCredentials>),
}

pub(super) struct Request {
    id: MessageId,
    message: Outgoing,
    purpose: Purpose,
    /// `None`: it is sent until it is answered.
    expires_at: Option<Instant>,
    /// It was sent on this connection.
    sent: bool,
    not_before: Option<Instant>,
}

/// In the order in which they were asked.
#[derive(Default)]
pub(super) struct Requests(Vec<Request>);

impl Requests {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().filter_map(|request| request.expires_at).min()
    }

    /// The time at which a request that was refused for now may be sent. `None`: there is none.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.0.iter().filter(|request| !request.sent).filter_map(|request| request.not_before).min()
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

    /// Gives up everything.
    pub(super) fn stop(&mut self, stop: Stop) {
        for request in self.0.drain(..) {
            request.purpose.fail(Error::Stopped(stop));
        }
    }

    /// The request that is answered: by its id, or for a server that does not name it the oldest.
    /// An answer that does not fit it answers nothing.
    fn take(&mut self, id: Option<MessageId>, fits: impl Fn(&Outgoing) -> bool) -> Option<Request> {
        let named = |request: &Request| id.map_or(request.sent, |id| request.id == id);
        let at = self.0.iter().position(|request| named(request) && fits(&request.message))?;
        Some(self.0.remove(at))
    }
}

impl Purpose {
    fn fail(self, error: Error) {
        match self {
            Self::Lookup(reply) => drop(reply.send(Err(error))),
            Self::TurnCredentials(reply) => drop(reply.send(Err(error))),
            Self::PublishKey | Self::CalleeKey(_) | Self::CallerKey(_) => {}
        }
    }
}

impl Machine {
    /// Asks something of the server.
    pub(super) fn request(&mut self, cx: &Context<'_>, message: Outgoing, purpose: Purpose) {
        if self.requests.0.len() >= WAITING_MAX {
            return self.request_failed(cx, purpose, Error::TooMuchWaits);
        }
        let (id, expires_at) = (self.new_id(), Some(cx.now + EXPIRES_AFTER));
        let request = Request { id, message, purpose, expires_at, sent: false, not_before: None };
        self.requests.0.push(request);
    }

    /// Asks the directory to hold this client's key, before anything else: whom we call looks it
    /// up. Nobody waits for the answer alone, so it is asked for as long as it takes.
    pub(super) fn publish_key(&mut self) {
        if self.unlisted.is_some() {
            return self.key_published(Ok(()));
        }
        let publishes = |request: &Request| matches!(request.purpose, Purpose::PublishKey);
        if self.requests.0.iter().any(publishes) {
            return;
        }
        let message = Outgoing::PkdRegister {
            client_id: self.client_id.clone(),
            public_key: self.identity.directory_key().as_str().to_owned(),
        };
        let (id, purpose) = (self.new_id(), Purpose::PublishKey);
        let (expires_at, not_before) = (None, None);
        let request = Request { id, message, purpose, expires_at, sent: false, not_before };
        self.requests.0.insert(0, request);
    }

    /// Somebody has called with an old key of ours.
    pub(super) fn publish_key_again(&mut self, cx: &Context<'_>) {
        if self.publication.may_republish(cx.now) {
            self.publish_key();
        }
    }

    pub(super) fn key_found(
        &mut self,
        cx: &mut Context<'_>,
        id: Option<MessageId>,
        whose: &ClientId,
        key: Option<&str>,
    ) {
        let fits = |message: &Outgoing| match message {
            Outgoing::PkdLookup { client_id } | Outgoing::PkdRegister { client_id, .. } => {
                // A named answer counts for whom was asked about, whatever name it bears itself.
                id.is_some() || client_id == whose
            }
            _ => false,
        };
        let Some(request) = self.requests.take(id, fits) else { return };
        let asked = match &request.message {
            Outgoing::PkdLookup { client_id } => client_id.clone(),
            _ => whose.clone(),
        };
        let key = key.map(|text| DirectoryKey::parse(text, asked.as_str())).transpose();
        let key = key.map_err(Error::Seal);
        match request.purpose {
            Purpose::PublishKey => self.key_published(Ok(())),
            Purpose::CalleeKey(call) => self.callee_key(cx, call, key),
            Purpose::CallerKey(call) => self.caller_key(cx, call, key),
            Purpose::Lookup(reply) => {
                let looked_up = key.map(|key| self.looked_up(key));
                let _ = reply.send(looked_up);
            }
            Purpose::TurnCredentials(_) => {}
        }
    }

    pub(super) fn turn_credentials(&mut self, id: Option<MessageId>, credentials: TurnCredentials) {
        let fits = |message: &Outgoing| matches!(message, Outgoing::TurnCredentials {});
        if let Some(Request { purpose: Purpose::TurnCredentials(reply), .. }) =
            self.requests.take(id, fits)
        {
            let _ = reply.send(Ok(credentials));
        }
    }

    /// An ERROR answers a request. Returns `false` if it answers something else.
    pub(super) fn request_refused(
        &mut self,
        cx: &Context<'_>,
        id: Option<MessageId>,
        error: &Incoming,
    ) -> bool {
        let Incoming::Error { code, message, retry_after_ms } = error else { return false };
        let Some(mut request) = self.requests.take(id, |_| true) else { return false };
        if matches!(code, Some(ErrorCode::RateLimited | ErrorCode::Unavailable)) {
            let publishes = matches!(request.purpose, Purpose::PublishKey);
            if publishes && *code == Some(ErrorCode::Unavailable) {
                let delay = self.publication.delayed();
                self.outputs.extend(delay.map(Output::Event));
            }
            let wait = retry_after_ms.map_or(RETRY_AFTER, Duration::from_millis);
            request.not_before = Some(cx.now + wait);
            request.sent = false;
            self.requests.0.insert(0, request);
            return true;
        }
        let code = code.unwrap_or(ErrorCode::InvalidMessage);
        let error = Error::Refused { code, message: message.clone() };
        self.request_failed(cx, request.purpose, error);
        true
    }

    pub(super) fn expire_requests(&mut self, cx: &Context<'_>) {
        let (expired, live) = std::mem::take(&mut self.requests.0)
            .into_iter()
            .partition(|request: &Request| request.expires_at.is_some_and(|at| at <= cx.now));
        self.requests.0 = live;
        for request in expired {
            self.request_failed(cx, request.purpose, Error::TimedOut);
        }
    }

    fn request_failed(&mut self, cx: &Context<'_>, purpose: Purpose, error: Error) {
        match purpose {
            Purpose::PublishKey => self.key_published(Err(error)),
            Purpose::CalleeKey(call) => drop(self.end_call(cx, call, End::NotBegun(error))),
            Purpose::CallerKey(call) => drop(self.end_call(cx, call, End::OfferRefused(error))),
            purpose => purpose.fail(error),
        }
    }
}
