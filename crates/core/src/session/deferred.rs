//! Messages deferred until the client is back, or has presented the call's id.
//!
//! A message is deferred as the mail that it is made of, and not as text: the dialect that the client
//! speaks, and the relay credentials that it needs, are known when it is sent.

use securecall_protocol::{Opaque, ServerMessage};

use crate::context::CallLimits;
use crate::mail::{Content, Mail, OwnedMail};

/// Deferred messages in the order in which they came.
///
/// Empty it is one pointer, because that is what nearly every session has.
#[derive(Default)]
pub(super) struct DeferredQueue(Option<Box<Queue>>);

#[derive(Default)]
struct Queue {
    messages: Vec<Deferred>,
    bytes: usize,
}

/// One deferred message.
pub(super) struct Deferred(OwnedMail);

/// The bytes of a message on the wire beside its texts.
const ENVELOPE_BYTES: usize =
    r#"{"type":"ICE_CANDIDATE","payload":{"callId":"","candidate":},"seq":12345}"#.len();

/// One message more would be over a bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Deferred {
    pub(super) fn new(call_id: &str, content: Content<'_>) -> Self {
        Self(Mail { call_id: call_id.into(), content }.into_owned())
    }

    /// The message to send now. `None` for mail that leads to none.
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

impl DeferredQueue {
    /// Adds a message, if its bytes and those of the others are at most `bytes_max`, and the messages
    /// are within the limits.
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

    /// Moves the answer of a call ahead of the messages that came before it.
    pub(super) fn put_answer_first(&mut self) {
        if let Some(queue) = &mut self.0 {
            queue.messages.sort_by_key(|deferred| deferred.answer().is_none());
        }
    }

    /// Takes out all messages, oldest first.
    pub(super) fn take(&mut self) -> Vec<Deferred> {
        self.0.take().map_or(Vec::new(), |queue| queue.messages)
    }

    /// The calls that the messages are about.
    pub(super) fn call_ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|queue| &queue.messages).map(|deferred| deferred.0.call_id())
    }

    /// The bytes of all messages.
    pub(super) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.bytes)
    }

    /// The number of messages.
    pub(super) fn count(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.messages.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;

    /// Limits that a few messages reach.
    pub(in crate::session) const LIMITS: CallLimits = CallLimits {
        ring_timeout: Duration::from_secs(60),
        grace: Duration::from_secs(30),
        per_session_max: 4,
        unanswered_max: 4,
        waiting_bytes_max: 400,
        waiting_count_max: 3,
        waiting_age_max: Duration::from_secs(120),
    };

    fn opaque(json: &str) -> Opaque<'_> {
        Opaque::from_stored(json).unwrap()
    }

    fn candidate(json: &str) -> Deferred {
        Deferred::new("call", Content::Candidate { candidate: opaque(json) })
    }

    fn is_answer(queue: &mut DeferredQueue) -> Vec<bool> {
        queue.take().iter().map(|deferred| deferred.answer().is_some()).collect()
    }

    #[test]
    fn messages_come_out_once_in_their_order() {
        let mut queue = DeferredQueue::default();
        for json in [r#""1""#, r#""2""#] {
            queue.push(candidate(json), &LIMITS, 400).unwrap();
        }
        assert_eq!((queue.count(), queue.call_ids().count()), (2, 2));
        let texts: Vec<_> = queue
            .take()
            .iter()
            .map(|it| it.0.as_mail().content)
            .map(|content| {
                let Content::Candidate { candidate } = content else { panic!("a candidate") };
                candidate.as_json().to_string()
            })
            .collect();
        assert_eq!(texts, [r#""1""#, r#""2""#]);
        assert!(queue.is_empty() && queue.bytes() == 0);
    }

    #[test]
    fn a_message_over_a_bound_is_refused() {
        let mut queue = DeferredQueue::default();
        let bytes = candidate(r#""1""#).bytes();
        assert_eq!(queue.push(candidate(r#""1""#), &LIMITS, bytes - 1), Err(Full));
        assert_eq!(queue.push(candidate(r#""1""#), &LIMITS, bytes), Ok(()));
        assert_eq!(queue.push(candidate(r#""1""#), &LIMITS, bytes), Err(Full));
        for _ in 1..LIMITS.waiting_count_max {
            queue.push(candidate(r#""1""#), &LIMITS, usize::MAX).unwrap();
        }
        assert_eq!(queue.push(candidate(r#""1""#), &LIMITS, usize::MAX), Err(Full));
    }

    #[test]
    fn the_answer_can_come_first() {
        let answer = || Deferred::new("call", Content::Accept { sdp_answer: opaque(r#""a""#) });
        let mut queue = DeferredQueue::default();
        queue.push(candidate(r#""1""#), &LIMITS, 400).unwrap();
        queue.push(answer(), &LIMITS, 400).unwrap();
        queue.put_answer_first();
        assert_eq!(is_answer(&mut queue), [true, false]);
        queue.push(candidate(r#""1""#), &LIMITS, 400).unwrap();
        queue.put_back_answer("call", opaque(r#""a""#));
        assert_eq!(queue.bytes(), candidate(r#""1""#).bytes() + answer().bytes());
        assert_eq!(is_answer(&mut queue), [true, false]);
    }

    #[test]
    fn mail_about_the_presence_of_a_peer_leads_to_no_message() {
        let present = Deferred::new("call", Content::Present { answered: true });
        assert!(present.message(None).is_none());
    }
}
