//! A connection's requests to the directory: one at a time, in order.
//!
//! So a client that registers its key and looks it up sees it, however long the disk takes, and
//! one connection never has more than one request in the directory's own queue. Other messages do
//! not wait for these.

use std::collections::VecDeque;
use std::task::{Context as TaskContext, Poll, ready};

use securecall_protocol::{ClientId, ErrorCode, Opaque, ServerMessage};

use crate::directory::{Answer, Directory, RegisterError, Registered, Replacement, Unavailable};

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
    Register(Answer<Registered, RegisterError>),
    Lookup(Answer<Option<Box<str>>, Unavailable>),
}

/// More requests wait already than may.
#[derive(Debug)]
pub(crate) struct Full;

/// The answer to a request.
pub(crate) struct Answered {
    /// The key is in the directory because of this request.
    pub(crate) took_key: bool,
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
    /// that begins now may replace a key as `replacement` says.
    pub(crate) fn poll_next(
        &mut self,
        directory: &dyn Directory,
        replacement: Replacement,
        task: &mut TaskContext<'_>,
    ) -> Poll<Answered> {
        let Some(queue) = &mut self.0 else { return Poll::Pending };
        if queue.current.is_none() {
            queue.current =
                queue.waiting.pop_front().map(|request| request.start(directory, replacement));
        }
        let Some((_, pending)) = &mut queue.current else {
            self.0 = None;
            return Poll::Pending;
        };
        let (took_key, result) = ready!(pending.poll(task));
        let Some((request, _)) = queue.current.take() else { return Poll::Pending };
        Poll::Ready(Answered { took_key, request, result })
    }
}

impl Request {
    fn start(self, directory: &dyn Directory, replacement: Replacement) -> (Self, Pending) {
        let id = self.client_id.as_str();
        let pending = match &self.ask {
            Ask::Lookup => Pending::Lookup(directory.lookup(id)),
            Ask::Register { public_key } => {
                Pending::Register(directory.register(id, public_key, replacement))
            }
        };
        (self, pending)
    }
}

/// What a lookup found, or why there is no answer.
type Found = Result<Option<Box<str>>, RegisterError>;

impl Pending {
    /// Whether a key was taken, and the key that was found.
    fn poll(&mut self, task: &mut TaskContext<'_>) -> Poll<(bool, Found)> {
        match self {
            Self::Lookup(answer) => {
                let found = ready!(answer.as_mut().poll(task));
                Poll::Ready((false, found.map_err(RegisterError::from)))
            }
            Self::Register(answer) => {
                let registered = ready!(answer.as_mut().poll(task));
                let took = matches!(registered, Ok(Registered::Created | Registered::Replaced));
                Poll::Ready((took, registered.map(|_| None)))
            }
        }
    }
}

impl Answered {
    /// The message, and the `id` of the request that it answers.
    pub(crate) fn reply(&self) -> (ServerMessage<'_>, Option<Opaque<'_>>) {
        let Request { client_id, ask, request_id } = &self.request;
        let message = match (&self.result, ask) {
            (Ok(_), Ask::Register { public_key }) => found(client_id, Some(public_key)),
            (Ok(public_key), Ask::Lookup) => found(client_id, public_key.as_deref()),
            (Err(RegisterError::Pinned), _) => KEY_PINNED,
            (Err(RegisterError::Unavailable(_)), _) => UNAVAILABLE,
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
    message: "the directory holds another key for this id",
    retry_after_ms: None,
};

/// The directory cannot answer for now.
pub(crate) const UNAVAILABLE: ServerMessage<'static> = ServerMessage::Error {
    code: ErrorCode::Unavailable,
    message: "the directory cannot answer for now",
    retry_after_ms: Some(1_000),
};
