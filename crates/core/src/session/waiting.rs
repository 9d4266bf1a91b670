//! Messages that wait: for a client to come back, or to show that a call is its own.

use securecall_protocol::{EndReason, Opaque, RejectReason, ServerMessage};

use crate::context::CallLimits;

/// Messages in order, each as what is to be said and not yet in words: which dialect the client
/// speaks, and what it is to be told of TURN, is known when it is told.
///
/// Empty it is one pointer, because that is what nearly every session has.
#[derive(Default)]
pub(super) struct Waiting(Option<Box<Queue>>);

#[derive(Default)]
struct Queue {
    messages: Vec<Kept>,
    bytes: usize,
}

/// A message that waits.
pub(super) struct Kept {
    pub(super) call_id: Box<str>,
    content: Content,
}

enum Content {
    Ringing,
    Accepted(Box<str>),
    Candidate(Box<str>),
    Signal(Box<str>),
    Rejected(RejectReason),
    Ended(EndReason),
}

/// What a message takes beside its texts, on the wire.
const ENVELOPE_BYTES: usize =
    r#"{"type":"ICE_CANDIDATE","payload":{"callId":"","candidate":},"seq":12345}"#.len();

/// What waits already, and one message more, is over a bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Kept {
    pub(super) fn ringing(call_id: &str) -> Self {
        Self { call_id: call_id.into(), content: Content::Ringing }
    }

    pub(super) fn accepted(call_id: &str, sdp_answer: Opaque<'_>) -> Self {
        Self { call_id: call_id.into(), content: Content::Accepted(sdp_answer.as_json().into()) }
    }

    pub(super) fn candidate(call_id: &str, candidate: Opaque<'_>) -> Self {
        Self { call_id: call_id.into(), content: Content::Candidate(candidate.as_json().into()) }
    }

    pub(super) fn signal(call_id: &str, data: Opaque<'_>) -> Self {
        Self { call_id: call_id.into(), content: Content::Signal(data.as_json().into()) }
    }

    pub(super) fn rejected(call_id: &str, reason: RejectReason) -> Self {
        Self { call_id: call_id.into(), content: Content::Rejected(reason) }
    }

    pub(super) fn ended(call_id: &str, reason: EndReason) -> Self {
        Self { call_id: call_id.into(), content: Content::Ended(reason) }
    }

    /// The message as it is to be said now. None only for what was never kept.
    pub(super) fn message<'a>(&'a self, ice_servers: Option<&'a str>) -> Option<ServerMessage<'a>> {
        let call_id = (&*self.call_id).into();
        Some(match &self.content {
            Content::Ringing => ServerMessage::CallRinging { call_id },
            Content::Accepted(sdp_answer) => ServerMessage::CallAccepted {
                call_id,
                sdp_answer: Opaque::from_stored(sdp_answer)?,
                ice_servers: ice_servers.map(Into::into),
            },
            Content::Candidate(candidate) => {
                ServerMessage::IceCandidate { call_id, candidate: Opaque::from_stored(candidate)? }
            }
            Content::Signal(data) => {
                ServerMessage::CallSignal { call_id, data: Opaque::from_stored(data)? }
            }
            Content::Rejected(reason) => ServerMessage::CallRejected { call_id, reason: *reason },
            Content::Ended(reason) => ServerMessage::CallEnded { call_id, reason: *reason },
        })
    }

    /// The answer in it.
    pub(super) fn answer(&self) -> Option<&str> {
        match &self.content {
            Content::Accepted(sdp_answer) => Some(sdp_answer),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let content = match &self.content {
            Content::Accepted(text) | Content::Candidate(text) | Content::Signal(text) => {
                text.len()
            }
            Content::Ringing | Content::Rejected(_) | Content::Ended(_) => 0,
        };
        ENVELOPE_BYTES + self.call_id.len() + content
    }
}

impl Waiting {
    /// Keeps a message, if the bytes that wait then are at most `bytes_max`, and the messages as
    /// many as the limits say.
    pub(super) fn push(
        &mut self,
        message: Kept,
        limits: &CallLimits,
        bytes_max: usize,
    ) -> Result<(), Full> {
        let full = self.count() >= limits.waiting_count_max;
        if full || self.bytes() + message.bytes() > bytes_max {
            return Err(Full);
        }
        let queue = self.0.get_or_insert_default();
        queue.bytes += message.bytes();
        queue.messages.push(message);
        Ok(())
    }

    /// Puts back an answer that may not have arrived, ahead of everything that came after it.
    /// Its room was kept.
    pub(super) fn put_back_answer(&mut self, call_id: &str, sdp_answer: Box<str>) {
        let content = Content::Accepted(sdp_answer);
        let answer = Kept { call_id: call_id.into(), content };
        let queue = self.0.get_or_insert_default();
        queue.bytes += answer.bytes();
        queue.messages.insert(0, answer);
    }

    /// Whatever came before the answer of a call comes behind it.
    pub(super) fn put_answer_first(&mut self) {
        if let Some(queue) = &mut self.0 {
            queue.messages.sort_by_key(|kept| !matches!(kept.content, Content::Accepted(_)));
        }
    }

    /// Everything that waits, oldest first; nothing waits afterwards.
    pub(super) fn take(&mut self) -> Vec<Kept> {
        self.0.take().map_or(Vec::new(), |queue| queue.messages)
    }

    /// The calls that the messages are about.
    pub(super) fn call_ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|queue| &queue.messages).map(|kept| &*kept.call_id)
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.bytes)
    }

    /// How many messages wait.
    pub(super) fn count(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.messages.len())
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}
