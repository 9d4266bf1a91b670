//! What a client of dialect 2 was sent, numbered, until it says that it has it.
//!
//! When the connection is lost nobody knows which of the last messages arrived. The client says,
//! with its next REGISTER, which number it saw last, and gets everything after it again: once, in
//! order. If something after it is not kept any more, the registration is not resumed, and the
//! client is told so.

use std::collections::VecDeque;

use super::waiting::Full;
use crate::context::CallLimits;
use crate::time::Instant;

/// The numbered messages of one registration.
#[derive(Debug)]
pub(super) struct Stream {
    token: Box<str>,
    last_seq: u64,
    /// Messages that are not acknowledged, without a gap up to `last_seq`.
    sent: VecDeque<Sent>,
    bytes: usize,
}

#[derive(Debug)]
struct Sent {
    text: Box<str>,
    at: Instant,
}

/// What becomes of the oldest messages when a bound is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// They are forgotten: the client is there and has had them, most likely.
    Forget,
    /// The new one is refused: the client is away and has had none of them.
    Refuse,
    /// The new one is kept all the same; there are few of its kind.
    Exceed,
}

impl Stream {
    /// A stream that `token` resumes.
    pub(super) fn new(token: Box<str>) -> Self {
        Self { token, last_seq: 0, sent: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
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
        bound: Bound,
    ) -> Result<(), Full> {
        while bound == Bound::Forget && !self.sent.is_empty() && !self.fits(text, now, limits) {
            self.forget_oldest();
        }
        if bound == Bound::Refuse && !self.fits(text, now, limits) {
            return Err(Full);
        }
        self.last_seq += 1;
        self.bytes += text.len();
        self.sent.push_back(Sent { text: text.into(), at: now });
        Ok(())
    }

    /// Everything up to `seq` has arrived.
    pub(super) fn acknowledge(&mut self, seq: u64) {
        while self.first_kept() <= seq && !self.sent.is_empty() {
            self.forget_oldest();
        }
    }

    /// The messages after `seq`, oldest first. None: some are not kept any more, or `seq` was
    /// never sent.
    pub(super) fn after(&self, seq: u64) -> Option<impl Iterator<Item = &str>> {
        if seq > self.last_seq || seq + 1 < self.first_kept() {
            return None;
        }
        let skipped = usize::try_from(seq + 1 - self.first_kept()).ok()?;
        Some(self.sent.iter().skip(skipped).map(|sent| &*sent.text))
    }

    /// How many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn first_kept(&self) -> u64 {
        self.last_seq + 1 - self.sent.len() as u64
    }

    fn fits(&self, text: &str, now: Instant, limits: &CallLimits) -> bool {
        let too_old = |sent: &Sent| now.since(sent.at) > limits.waiting_age_max;
        self.bytes + text.len() <= limits.waiting_bytes_max
            && self.sent.len() < limits.waiting_count_max
            && !self.sent.front().is_some_and(too_old)
    }

    fn forget_oldest(&mut self) {
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
        waiting_bytes_max: 10,
        waiting_count_max: 3,
        waiting_age_max: Duration::from_secs(120),
    };

    fn stream(texts: &[&str]) -> Stream {
        let mut stream = Stream::new("token".into());
        for text in texts {
            stream.keep(text, NOW, &LIMITS, Bound::Forget).unwrap();
        }
        stream
    }

    fn after(stream: &Stream, seq: u64) -> Option<Vec<&str>> {
        stream.after(seq).map(Iterator::collect)
    }

    #[test]
    fn everything_after_the_last_that_arrived_comes_again() {
        let stream = stream(&["1", "2", "3"]);
        assert_eq!(after(&stream, 0), Some(vec!["1", "2", "3"]));
        assert_eq!(after(&stream, 2), Some(vec!["3"]));
        assert_eq!(after(&stream, 3), Some(vec![]));
        assert_eq!(after(&stream, 4), None, "that was never sent");
    }

    #[test]
    fn what_is_acknowledged_is_not_kept() {
        let mut stream = stream(&["1", "2", "3"]);
        stream.acknowledge(2);
        assert_eq!(after(&stream, 1), None);
        assert_eq!(after(&stream, 2), Some(vec!["3"]));
        stream.acknowledge(99);
        assert_eq!((after(&stream, 3), stream.bytes()), (Some(vec![]), 0));
    }

    #[test]
    fn a_client_that_acknowledges_nothing_cannot_resume_beyond_the_bounds() {
        let by_count = stream(&["1", "2", "3", "4"]);
        assert_eq!(
            (after(&by_count, 0), after(&by_count, 1).map(|kept| kept.len())),
            (None, Some(3))
        );
        let by_bytes = stream(&["12345", "67890", "x"]);
        assert_eq!(after(&by_bytes, 0), None);
        let mut by_age = stream(&["1"]);
        by_age.keep("2", NOW + Duration::from_secs(121), &LIMITS, Bound::Forget).unwrap();
        assert_eq!((after(&by_age, 0), after(&by_age, 1)), (None, Some(vec!["2"])));
    }

    #[test]
    fn a_client_that_is_away_loses_nothing_silently() {
        let mut stream = stream(&["1", "2", "3"]);
        assert_eq!(stream.keep("4", NOW, &LIMITS, Bound::Refuse), Err(Full));
        assert_eq!(stream.keep("5", NOW, &LIMITS, Bound::Exceed), Ok(()));
        assert_eq!(after(&stream, 0), Some(vec!["1", "2", "3", "5"]));
    }
}
