//! Messages that wait: for a client to come back, or to show that a call is its own.

use securecall_protocol::{Opaque, ServerMessage};

use crate::context::CallLimits;
use crate::mail::{Content, Mail, OwnedMail};

/// Messages in order, each as what is to be said and not yet in words: which dialect the client
/// speaks, and what it is to be told of TURN, is known when it is told.
///
/// Empty it is one pointer, because that is what nearly every session has.
#[derive(Default)]
pub(super) struct Waiting(Option<Box<Queue>>);

#[derive(Default)]
struct Queue {
    messages: Vec<Deferred>,
    bytes: usize,
}

/// A message held until the client is back, or has presented the call id: the mail that it is made
/// of.
pub(super) struct Deferred(OwnedMail);

/// What a message takes beside its texts, on the wire.
const ENVELOPE_BYTES: usize =
    r#"{"type":"ICE_CANDIDATE","payload":{"callId":"","candidate":},"seq":12345}"#.len();

/// What waits already, and one message more, is over a bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Deferred {
    pub(super) fn new(call_id: &str, content: Content<'_>) -> Self {
        Self(Mail { call_id: call_id.into(), content }.into_owned())
    }

    /// The message as it is to be said now. `None` for mail that no client is told of.
    pub(super) fn message<'a>(&'a self, ice_servers: Option<&'a str>) -> Option<ServerMessage<'a>> {
        let Mail { call_id, content } = self.0.as_mail();
        Some(match content {
            Content::Ringing => ServerMessage::CallRinging { call_id },
            Content::Accept { sdp_answer } => {
                let ice_servers = ice_servers.map(Into::into);
                ServerMessage::CallAccepted { call_id, sdp_answer, ice_servers }
            }
            Content::Candidate { candidate } => ServerMessage::IceCandidate { call_id, candidate },
            Content::Signal { data } => ServerMessage::CallSignal { call_id, data },
            Content::Reject { reason } => ServerMessage::CallRejected { call_id, reason },
            Content::End { reason } => ServerMessage::CallEnded { call_id, reason },
            Content::Ring { .. } | Content::Present { .. } => return None,
        })
    }

    /// The answer in it.
    pub(super) fn answer(&self) -> Option<Opaque<'_>> {
        match self.0.as_mail().content {
            Content::Accept { sdp_answer } => Some(sdp_answer),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let Mail { call_id, content } = self.0.as_mail();
        ENVELOPE_BYTES + call_id.len() + content.opaque_bytes()
    }
}

impl Waiting {
    /// Defers a message, if the bytes that wait then are at most `bytes_max`, and the messages as
    /// many as the limits say.
    pub(super) fn push(
        &mut self,
        message: Deferred,
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
    pub(super) fn put_back_answer(&mut self, call_id: &str, sdp_answer: Opaque<'_>) {
        let answer = Deferred::new(call_id, Content::Accept { sdp_answer });
        let queue = self.0.get_or_insert_default();
        queue.bytes += answer.bytes();
        queue.messages.insert(0, answer);
    }

    /// Whatever came before the answer of a call comes behind it.
    pub(super) fn put_answer_first(&mut self) {
        if let Some(queue) = &mut self.0 {
            queue.messages.sort_by_key(|deferred| deferred.answer().is_none());
        }
    }

    /// Everything that waits, oldest first; nothing waits afterwards.
    pub(super) fn take(&mut self) -> Vec<Deferred> {
        self.0.take().map_or(Vec::new(), |queue| queue.messages)
    }

    /// The calls that the messages are about.
    pub(super) fn call_ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|queue| &queue.messages).map(|deferred| deferred.0.call_id())
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
