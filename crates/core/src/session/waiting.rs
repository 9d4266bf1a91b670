//! Mail that waits for a client to come back.

use std::collections::VecDeque;

use securecall_protocol::{Reply, ServerMessage};

/// Messages, already in the words that the client will get, in order.
///
/// Empty it is one pointer, because that is what nearly every session has.
#[derive(Debug, Default)]
pub(super) struct Waiting(Option<Box<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    texts: VecDeque<Box<str>>,
    bytes: usize,
}

/// What waits already, and one message more, is over the bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Waiting {
    /// Keeps a message if the bytes that wait then are at most `bytes_max`.
    pub(super) fn push(
        &mut self,
        message: ServerMessage<'_>,
        bytes_max: usize,
    ) -> Result<(), Full> {
        let (queue, text) = self.admit(message, bytes_max)?;
        queue.texts.push_back(text);
        Ok(())
    }

    /// The same, before everything that waits already.
    pub(super) fn push_front(
        &mut self,
        message: ServerMessage<'_>,
        bytes_max: usize,
    ) -> Result<(), Full> {
        let (queue, text) = self.admit(message, bytes_max)?;
        queue.texts.push_front(text);
        Ok(())
    }

    fn admit(
        &mut self,
        message: ServerMessage<'_>,
        bytes_max: usize,
    ) -> Result<(&mut Queue, Box<str>), Full> {
        let reply = Reply::from(message);
        let bytes = reply.encoded_bytes();
        if self.bytes() + bytes > bytes_max {
            return Err(Full);
        }
        let mut text = String::with_capacity(bytes);
        reply.encode(&mut text);
        let queue = self.0.get_or_insert_default();
        queue.bytes += bytes;
        Ok((queue, text.into()))
    }

    /// Everything that waits, oldest first; nothing waits afterwards.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Box<str>> + use<> {
        self.0.take().into_iter().flat_map(|queue| queue.texts)
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.bytes)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}
