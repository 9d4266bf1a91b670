//! A connection's requests to the directory: one at a time, in order.
//!
//! So a client that registers its key and looks it up sees it, however long the disk takes, and
//! one connection never has more than one request in the directory's own queue. Other messages do
//! not wait for these.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use securecall_protocol::{ClientId, ErrorCode, Opaque, ServerMessage};

use crate::directory::{
    Answer, Creation, Directory, RegisterError, Registered, Replacement, Terms, Unavailable,
};

/// How many requests wait at least before one is refused. The burst that the limits let through
/// may be more; beyond both, the disk is stuck.
const WAITING_MIN: usize = 64;

/// The requests of one connection. Without any it is a pointer.
#[derive(Default)]
pub(crate) struct DirectoryQueue(Option<Box<Queue>>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Request>,
    current: Option<(Request, Pending)>,
}

struct Request {
    client_id: ClientId,
    ask: Ask,
    request_id: Option<Box<str>>,
}

enum Ask {
    Register { public_key: Box<str> },
    Lookup,
}

enum Pending {
    Register { answer: Answer<Registered, RegisterError>, place: Place },
    Lookup(Answer<Option<Box<str>>, Unavailable>),
}

/// What a registration that begins may do.
pub(crate) struct Permission {
    pub(crate) replacement: Replacement,
    pub(crate) place: Place,
}

/// A place for a new record, or how long to wait for one.
pub(crate) type Place = Result<(), Duration>;

/// More requests wait already than may.
#[derive(Debug)]
pub(crate) struct Full;

/// The answer to a request.
pub(crate) struct Answered {
    /// The key is in the directory because of this request.
    pub(crate) took_key: bool,
    /// It was given a place for a new record, and has made none.
    pub(crate) unused_place: bool,
    request: Request,
    result: Found,
}

impl DirectoryQueue {
    pub(crate) fn register(
        &mut self,
        client_id: ClientId,
        public_key: Opaque<'_>,
        request_id: Option<Opaque<'_>>,
        burst: usize,
    ) -> Result<(), Full> {
        let public_key = public_key.as_json().into();
        self.push(client_id, Ask::Register { public_key }, request_id, burst)
    }

    pub(crate) fn lookup(
        &mut self,
        client_id: ClientId,
        request_id: Option<Opaque<'_>>,
        burst: usize,
    ) -> Result<(), Full> {
        self.push(client_id, Ask::Lookup, request_id, burst)
    }

    fn push(
        &mut self,
        client_id: ClientId,
        ask: Ask,
        request_id: Option<Opaque<'_>>,
        burst: usize,
    ) -> Result<(), Full> {
        let queue = self.0.get_or_insert_default();
        if queue.waiting.len() >= WAITING_MIN.max(burst) {
            return Err(Full);
        }
        let request_id = request_id.map(|id| id.as_json().into());
        queue.waiting.push_back(Request { client_id, ask, request_id });
        Ok(())
    }

    /// The next answer, when it is there. Pending without a request wakes nobody. A registration
    /// that begins now may do what `permit` says then.
    pub(crate) fn poll_next(
        &mut self,
        directory: &dyn Directory,
        permit: impl FnOnce() -> Permission,
        task: &mut TaskContext<'_>,
    ) -> Poll<Answered> {
        let Some(queue) = &mut self.0 else { return Poll::Pending };
        if queue.current.is_none() {
            queue.current =
                queue.waiting.pop_front().map(|request| request.start(directory, permit));
        }
        let Some((_, pending)) = &mut queue.current else {
            self.0 = None;
            return Poll::Pending;
        };
        let done = ready!(pending.poll(task));
        let Some((request, _)) = queue.current.take() else { return Poll::Pending };
        let Done { took_key, unused_place, result } = done;
        Poll::Ready(Answered { took_key, unused_place, request, result })
    }
}

impl Request {
    fn start(
        self,
        directory: &dyn Directory,
        permit: impl FnOnce() -> Permission,
    ) -> (Self, Pending) {
        let id = self.client_id.as_str();
        let pending = match &self.ask {
            Ask::Lookup => Pending::Lookup(directory.lookup(id)),
            Ask::Register { public_key } => {
                let Permission { replacement, place } = permit();
                let creation = if place.is_ok() { Creation::Allowed } else { Creation::Refused };
                let terms = Terms { replacement, creation };
                Pending::Register { answer: directory.register(id, public_key, terms), place }
            }
        };
        (self, pending)
    }
}

/// What a lookup found, or why there is no answer.
type Found = Result<Option<Box<str>>, Failure>;

/// Why a request has no answer.
#[derive(Debug)]
enum Failure {
    Pinned,
    /// No new record from this address, for so long.
    TooManyNew(Duration),
    Full,
    Unavailable,
}

/// What became of a request.
struct Done {
    took_key: bool,
    unused_place: bool,
    result: Found,
}

impl Pending {
    fn poll(&mut self, task: &mut TaskContext<'_>) -> Poll<Done> {
        match self {
            Self::Lookup(answer) => {
                let found = ready!(answer.as_mut().poll(task));
                let result = found.map_err(|Unavailable| Failure::Unavailable);
                Poll::Ready(Done { took_key: false, unused_place: false, result })
            }
            Self::Register { answer, place } => {
                let registered = ready!(answer.as_mut().poll(task));
                Poll::Ready(Done {
                    took_key: matches!(registered, Ok(Registered::Created | Registered::Replaced)),
                    // What is not known to have been made may have been.
                    unused_place: place.is_ok()
                        && !matches!(
                            registered,
                            Ok(Registered::Created) | Err(RegisterError::Unavailable(_))
                        ),
                    result: registered.map(|_| None).map_err(|error| failure(error, *place)),
                })
            }
        }
    }
}

fn failure(error: RegisterError, place: Place) -> Failure {
    match error {
        RegisterError::Pinned => Failure::Pinned,
        RegisterError::NotCreated => Failure::TooManyNew(place.err().unwrap_or_default()),
        RegisterError::Full => Failure::Full,
        RegisterError::Unavailable(_) => Failure::Unavailable,
    }
}

impl Answered {
    /// The message, and the `id` of the request that it answers.
    pub(crate) fn reply(&self) -> (ServerMessage<'_>, Option<Opaque<'_>>) {
        let Request { client_id, ask, request_id } = &self.request;
        let message = match (&self.result, ask) {
            (Ok(_), Ask::Register { public_key }) => found(client_id, Some(public_key)),
            (Ok(public_key), Ask::Lookup) => found(client_id, public_key.as_deref()),
            (Err(Failure::Pinned), _) => KEY_PINNED,
            (Err(Failure::TooManyNew(wait)), _) => too_many_new(*wait),
            (Err(Failure::Full), _) => FULL,
            (Err(Failure::Unavailable), _) => UNAVAILABLE,
        };
        (message, request_id.as_deref().and_then(Opaque::from_stored))
    }
}

fn found<'a>(client_id: &ClientId, public_key: Option<&'a str>) -> ServerMessage<'a> {
    let public_key = public_key.and_then(Opaque::from_stored);
    ServerMessage::PkdResult { client_id: client_id.clone(), public_key }
}

const KEY_PINNED: ServerMessage<'static> = ServerMessage::Error {
    code: ErrorCode::KeyPinned,
    message: Cow::Borrowed("the directory holds another key for this id"),
    retry_after_ms: None,
};

/// The directory cannot answer for now.
pub(crate) const UNAVAILABLE: ServerMessage<'static> = ServerMessage::Error {
    code: ErrorCode::Unavailable,
    message: Cow::Borrowed("the directory cannot answer for now"),
    retry_after_ms: Some(1_000),
};

/// Only its operator can make room.
const FULL: ServerMessage<'static> = ServerMessage::Error {
    code: ErrorCode::Unavailable,
    message: Cow::Borrowed("the directory is full: no id gets a first key now"),
    retry_after_ms: Some(60_000),
};

fn too_many_new(wait: Duration) -> ServerMessage<'static> {
    ServerMessage::Error {
        code: ErrorCode::RateLimited,
        message: Cow::Borrowed("too many first keys from this address"),
        retry_after_ms: Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1)),
    }
}
