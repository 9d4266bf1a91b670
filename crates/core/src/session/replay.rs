//! Numbered messages of dialect 2, kept until acknowledged.
//!
//! When the connection is lost nobody knows which of the last messages arrived. The client's next
//! REGISTER names the number that it saw last, and everything after it is sent again: once, in
//! order. If a message after it is not kept any more, the registration is not resumed, and REGISTERED
//! has `resumed: false`.
//!
//! Numbers have no gap: the messages that are kept are the last ones. `sent_seq` divides them into
//! those that were sent at least once and those that came while the client was away.

use std::collections::VecDeque;

use super::deferred::Full;
use super::tokens::ResumeTokens;
use crate::context::CallLimits;
use crate::time::Instant;

/// The numbered messages of one registration.
pub(super) struct ReplayBuffer {
    tokens: ResumeTokens,
    last_seq: u64,
    /// The last number that the client was sent while it was connected.
    sent_seq: u64,
    /// Messages that are not acknowledged, without a gap up to `last_seq`.
    sent: VecDeque<Sent>,
    bytes: usize,
}

struct Sent {
    text: Box<str>,
    at: Instant,
}

/// The rule for a new message that is over a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overflow {
    /// The client is there: the oldest messages are dropped, because they have arrived, most likely.
    /// The client cannot resume from before them.
    DropOldest,
    /// The client is away: messages that were sent before are dropped, and when that is not enough
    /// the new one is refused, because none of the others has arrived.
    Refuse,
    /// It is kept all the same; there are few of its kind.
    Exceed,
}

impl ReplayBuffer {
    /// The empty buffer of a registration, with its tokens.
    pub(super) fn new(tokens: ResumeTokens) -> Self {
        Self { tokens, last_seq: 0, sent_seq: 0, sent: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn tokens(&self) -> &ResumeTokens {
        &self.tokens
    }

    /// The number of the next message.
    pub(super) fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// Keeps the text with the next number.
    pub(super) fn keep(
        &mut self,
        text: &str,
        now: Instant,
        limits: &CallLimits,
        overflow: Overflow,
    ) -> Result<(), Full> {
        match overflow {
            Overflow::DropOldest => self.keep_sent(text, now, limits),
            Overflow::Refuse => self.keep_unsent(text, now, limits)?,
            Overflow::Exceed => self.push(text, now),
        }
        Ok(())
    }

    fn keep_sent(&mut self, text: &str, now: Instant, limits: &CallLimits) {
        let too_old = |sent: &Sent| now.since(sent.at) > limits.waiting_age_max;
        while self.sent.front().is_some_and(too_old) || !self.fits(text, limits) {
            if self.sent.is_empty() {
                // Too big to be kept at all: a client that misses it cannot resume.
                self.last_seq += 1;
                self.sent_seq = self.last_seq;
                return;
            }
            self.drop_oldest();
        }
        self.push(text, now);
        self.sent_seq = self.last_seq;
    }

    fn keep_unsent(&mut self, text: &str, now: Instant, limits: &CallLimits) -> Result<(), Full> {
        while !self.fits(text, limits) {
            if self.sent.is_empty() || self.first_kept() > self.sent_seq {
                return Err(Full);
            }
            self.drop_oldest();
        }
        self.push(text, now);
        Ok(())
    }

    /// Drops messages that were sent, until at most `bytes` are kept.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        while self.bytes > bytes && !self.sent.is_empty() && self.first_kept() <= self.sent_seq {
            self.drop_oldest();
        }
    }

    fn push(&mut self, text: &str, now: Instant) {
        self.last_seq += 1;
        self.bytes += text.len();
        self.sent.push_back(Sent { text: text.into(), at: now });
    }

    /// Everything up to `seq` has arrived.
    pub(super) fn acknowledge(&mut self, seq: u64) {
        while self.first_kept() <= seq && !self.sent.is_empty() {
            self.drop_oldest();
        }
    }

    /// The client is there again and has everything up to `seq`. Returns the messages to send now,
    /// oldest first; `None` if one of them is not kept any more, or `seq` was never sent.
    pub(super) fn resume(&mut self, seq: u64, now: Instant) -> Option<impl Iterator<Item = &str>> {
        if seq > self.sent_seq || seq + 1 < self.first_kept() {
            return None;
        }
        self.acknowledge(seq);
        // A message ages from when it is sent first, not from when it was kept.
        let unsent = usize::try_from(self.last_seq - self.sent_seq).unwrap_or(usize::MAX);
        self.sent.iter_mut().rev().take(unsent).for_each(|sent| sent.at = now);
        self.sent_seq = self.last_seq;
        Some(self.sent.iter().map(|sent| &*sent.text))
    }

    /// The bytes of the messages that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of messages that are kept.
    pub(super) fn count(&self) -> usize {
        self.sent.len()
    }

    fn first_kept(&self) -> u64 {
        self.last_seq + 1 - self.sent.len() as u64
    }

    fn fits(&self, text: &str, limits: &CallLimits) -> bool {
        self.bytes + text.len() <= limits.waiting_bytes_max
            && self.sent.len() < limits.waiting_count_max
    }

    fn drop_oldest(&mut self) {
        if let Some(sent) = self.sent.pop_front() {
            self.bytes -= sent.text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Instant = Instant::from_millis(1_000);
    const LIMITS: CallLimits = CallLimits {
        ring_timeout: Duration::from_secs(60),
        grace: Duration::from_secs(30),
        per_session_max: 4,
        unanswered_max: 4,
        waiting_bytes_max: 10,
        waiting_count_max: 3,
        waiting_age_max: Duration::from_secs(120),
    };

    fn buffer(texts: &[&str]) -> ReplayBuffer {
        let mut buffer = ReplayBuffer::new(ResumeTokens::new("token".into(), None));
        for text in texts {
            buffer.keep(text, NOW, &LIMITS, Overflow::DropOldest).unwrap();
        }
        buffer
    }

    fn after(buffer: &mut ReplayBuffer, seq: u64) -> Option<Vec<String>> {
        Some(buffer.resume(seq, NOW)?.map(String::from).collect())
    }

    fn some(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_string()).collect())
    }

    #[test]
    fn everything_after_the_last_that_arrived_comes_again() {
        for (seq, expected) in [(0, some(&["1", "2", "3"])), (2, some(&["3"])), (3, some(&[]))] {
            assert_eq!(after(&mut buffer(&["1", "2", "3"]), seq), expected);
        }
        assert_eq!(after(&mut buffer(&["1", "2", "3"]), 4), None, "that was never sent");
        assert_eq!(after(&mut buffer(&[]), u64::MAX), None);
    }

    #[test]
    fn what_is_acknowledged_is_not_kept() {
        let mut buffer = buffer(&["1", "2", "3"]);
        buffer.acknowledge(2);
        assert_eq!(after(&mut buffer, 1), None);
        assert_eq!(after(&mut buffer, 2), some(&["3"]));
        buffer.acknowledge(99);
        assert_eq!((after(&mut buffer, 3), buffer.bytes()), (some(&[]), 0));
    }

    #[test]
    fn a_resumption_acknowledges_as_well() {
        let mut buffer = buffer(&["1", "2", "3"]);
        assert_eq!(after(&mut buffer, 2), some(&["3"]));
        assert_eq!(buffer.bytes(), 1);
    }

    #[test]
    fn a_client_that_acknowledges_nothing_cannot_resume_beyond_the_bounds() {
        let by_count = &mut buffer(&["1", "2", "3", "4"]);
        assert_eq!((after(by_count, 0), after(by_count, 1)), (None, some(&["2", "3", "4"])));
        let by_bytes = &mut buffer(&["12345", "67890", "x"]);
        assert_eq!((after(by_bytes, 0), after(by_bytes, 1)), (None, some(&["67890", "x"])));
        let by_age = &mut buffer(&["1"]);
        by_age.keep("2", NOW + Duration::from_secs(121), &LIMITS, Overflow::DropOldest).unwrap();
        assert_eq!((after(by_age, 0), after(by_age, 1)), (None, some(&["2"])));
    }

    #[test]
    fn what_is_bigger_than_the_bound_is_sent_and_not_kept() {
        let mut buffer = buffer(&["1", "12345678901"]);
        assert_eq!((buffer.bytes(), after(&mut buffer, 1)), (0, None));
        assert_eq!(after(&mut buffer, 2), some(&[]), "it arrived");
    }

    #[test]
    fn a_client_that_is_away_loses_nothing_silently() {
        let mut buffer = buffer(&[]);
        for text in ["1", "2", "3"] {
            buffer.keep(text, NOW, &LIMITS, Overflow::Refuse).unwrap();
        }
        assert_eq!(buffer.keep("4", NOW, &LIMITS, Overflow::Refuse), Err(Full));
        assert_eq!(buffer.keep("5", NOW, &LIMITS, Overflow::Exceed), Ok(()));
        assert_eq!(after(&mut buffer, 0), some(&["1", "2", "3", "5"]));
    }

    #[test]
    fn a_client_cannot_have_what_it_was_never_sent() {
        let mut buffer = buffer(&["1"]);
        buffer.keep("2", NOW, &LIMITS, Overflow::Exceed).unwrap();
        assert_eq!(after(&mut buffer, 2), None);
        assert_eq!(after(&mut buffer, 1), some(&["2"]));
        assert_eq!(after(&mut buffer, 2), some(&[]));
    }

    #[test]
    fn what_was_sent_before_the_client_went_makes_room_for_what_it_has_not_had() {
        let mut buffer = buffer(&["1", "2", "3"]);
        let much_later = NOW + Duration::from_secs(1_000);
        for text in ["4", "5", "6"] {
            buffer.keep(text, much_later, &LIMITS, Overflow::Refuse).unwrap();
        }
        assert_eq!(buffer.keep("7", much_later, &LIMITS, Overflow::Refuse), Err(Full));
        assert_eq!(after(&mut buffer, 2), None);
        assert_eq!(after(&mut buffer, 3), some(&["4", "5", "6"]));
    }

    #[test]
    fn a_message_that_was_kept_for_the_client_ages_from_when_it_is_sent() {
        let mut buffer = buffer(&["1"]);
        buffer.keep("2", NOW, &LIMITS, Overflow::Refuse).unwrap();
        let back = NOW + Duration::from_secs(100);
        assert_eq!(buffer.resume(1, back).map(Iterator::count), Some(1));
        let later = NOW + Duration::from_secs(121);
        buffer.keep("3", later, &LIMITS, Overflow::DropOldest).unwrap();
        assert_eq!(after(&mut buffer, 1), some(&["2", "3"]));
    }
}
