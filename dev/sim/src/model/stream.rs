//! Streams: the numbered messages of dialect 2, as seen from outside.

use securecall_core::Instant;

use super::Model;
use crate::network::LinkId;
use crate::violation::{Violation, ensure};

/// The messages that a client was sent in one registration, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// `None` in dialect 1.
    pub(super) token: Option<String>,
    /// The token of another registration that its first connection showed.
    pub(super) shown: String,
    /// The connection that it had last.
    pub(super) link: LinkId,
    sent: Vec<Sent>,
    acknowledged: u64,
    /// The number of messages that may have been forgotten for lack of room.
    forgotten: u64,
    /// An offer in it may have been given up, after it cost connection after connection.
    pub(super) given_up: bool,
}

#[derive(Debug)]
struct Sent {
    text: String,
    at: Instant,
}

impl Stream {
    pub(super) fn new(token: Option<String>, shown: String, link: LinkId) -> Self {
        Self { token, shown, link, ..Self::default() }
    }

    pub(super) fn is_in_two(&self) -> bool {
        self.token.is_some()
    }

    pub(super) fn last_seq(&self) -> u64 {
        self.sent.len() as u64
    }

    pub(super) fn acknowledge(&mut self, seq: u64) {
        self.acknowledged = self.acknowledged.max(seq);
    }

    /// Forgets messages that may have lost their room: `bytes` of `bytes_max` are used elsewhere.
    pub(super) fn make_room(&mut self, bytes: usize, bytes_max: usize) {
        let mut left = bytes_max.saturating_sub(bytes);
        let fits = |sent: &&Sent| {
            let fits = sent.text.len() <= left;
            left = left.saturating_sub(sent.text.len());
            fits
        };
        let kept = self.sent.iter().rev().take_while(fits).count() as u64;
        self.forgotten = self.forgotten.max(self.last_seq() - kept);
    }
}

impl Model {
    /// Checks the number of a message: dialect 1 has no numbers, in dialect 2 they go up by one.
    /// Returns false for a message that was sent before, which must be the same.
    pub(super) fn see_numbered(
        &mut self,
        link: LinkId,
        client: &str,
        text: &str,
        seq: Option<u64>,
    ) -> Result<bool, Violation> {
        if !self.speaks_two(link) || !self.links.get(&link).is_some_and(|known| known.registered) {
            ensure!(seq.is_none(), "{client}#{link} speaks dialect 1 and was sent {text}");
            return Ok(true);
        }
        let attached = self.attached.get(client);
        ensure!(attached == Some(&link), "{client}#{link} is not {client}: {text}");
        let known = self.links.entry(link).or_default();
        let expected = known.next_seq;
        ensure!(seq == Some(expected), "{client}#{link}: {expected} is next, and not {text}");
        known.next_seq += 1;
        let now = self.now;
        let Some(stream) = self.streams.get_mut(client) else { return Ok(true) };
        let before = usize::try_from(expected - 1).ok().and_then(|at| stream.sent.get(at));
        if let Some(sent) = before {
            ensure!(sent.text == text, "{client}: {expected} was another message before: {text}");
            self.seen.replayed += 1;
            return Ok(false);
        }
        stream.sent.push(Sent { text: text.to_string(), at: now });
        self.update_room(client);
        Ok(true)
    }

    pub(super) fn see_acknowledged(&mut self, client: &str, seq: u64) {
        if let Some(stream) = self.streams.get_mut(client) {
            stream.acknowledge(seq);
        }
    }

    /// Returns true if a registration with this number must be resumed: everything after it was
    /// within the bounds, so it must have been kept.
    pub(super) fn must_resume(&self, client: &str, token: &str, seq: u64) -> bool {
        let Some(stream) = self.streams.get(client) else { return false };
        let kept_from = stream.acknowledged.max(stream.forgotten);
        let sane = kept_from <= seq && seq <= stream.last_seq();
        if stream.token.as_deref() != Some(token) || !sane || stream.given_up {
            return false;
        }
        if seq == stream.last_seq() {
            return true;
        }
        let at = usize::try_from(seq).unwrap_or(usize::MAX);
        let after = stream.sent.get(at..).unwrap_or_default();
        let bytes: usize = after.iter().map(|sent| sent.text.len()).sum();
        let young = |sent: &Sent| self.now <= sent.at + self.limits.waiting_age_max;
        after.iter().all(young)
            && after.len() <= self.limits.waiting_count_max
            && bytes <= self.limits.waiting_bytes_max
    }
}
