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
pub(super) struct Stream {
    token: Box<str>,
    /// The token that the registration has shown, which is of another one.
    shown: Option<Box<str>>,
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

/// What becomes of a new message when a bound is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// The client is there: the oldest are forgotten, it has had them, most likely. It cannot
    /// resume from before them.
    Forget,
    /// The client is away: what it was sent before is forgotten, and when that is not enough the
    /// new one is refused, because it has had none of the others.
    Refuse,
    /// It is kept all the same; there are few of its kind.
    Exceed,
}

impl Stream {
    /// A stream that `token` resumes. Its registration has `shown` a token that does not.
    pub(super) fn new(token: Box<str>, shown: Option<&str>) -> Self {
        // What is no token of ours is not worth keeping.
        let shown = shown.filter(|shown| shown.len() == token.len()).map(Into::into);
        Self { token, shown, last_seq: 0, sent_seq: 0, sent: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
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
        match bound {
            Bound::Forget => self.keep_sent(text, now, limits),
            Bound::Refuse => self.keep_unsent(text, now, limits)?,
            Bound::Exceed => self.push(text, now),
        }
        Ok(())
    }

    fn keep_sent(&mut self, text: &str, now: Instant, limits: &CallLimits) {
        let too_old = |sent: &Sent| now.since(sent.at) > limits.waiting_age_max;
        while self.sent.front().is_some_and(too_old) || !self.fits(text, limits) {
            if self.sent.is_empty() {
                // Too big to be kept at all: whoever misses it cannot resume.
                self.last_seq += 1;
                self.sent_seq = self.last_seq;
                return;
            }
            self.forget_oldest();
        }
        self.push(text, now);
        self.sent_seq = self.last_seq;
    }

    fn keep_unsent(&mut self, text: &str, now: Instant, limits: &CallLimits) -> Result<(), Full> {
        while !self.fits(text, limits) {
            if self.sent.is_empty() || self.first_kept() > self.sent_seq {
                return Err(Full);
            }
            self.forget_oldest();
        }
        self.push(text, now);
        Ok(())
    }

    /// Forgets what the client was sent, until there are so many bytes left.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        while self.bytes > bytes && !self.sent.is_empty() && self.first_kept() <= self.sent_seq {
            self.forget_oldest();
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
            self.forget_oldest();
        }
    }

    /// The client is there again and has everything up to `seq`: what it is to be sent now, oldest
    /// first. None: some of that is not kept any more, or `seq` was never sent.
    pub(super) fn resume(&mut self, seq: u64, now: Instant) -> Option<impl Iterator<Item = &str>> {
        if seq > self.sent_seq || seq + 1 < self.first_kept() {
            return None;
        }
        self.acknowledge(seq);
        // A message ages from when it is sent first, not from when it began to wait.
        let unsent = usize::try_from(self.last_seq - self.sent_seq).unwrap_or(usize::MAX);
        self.sent.iter_mut().rev().take(unsent).for_each(|sent| sent.at = now);
        self.sent_seq = self.last_seq;
        Some(self.sent.iter().map(|sent| &*sent.text))
    }

    /// How many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many messages it holds.
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
        unanswered_max: 4,
        waiting_bytes_max: 10,
        waiting_count_max: 3,
        waiting_age_max: Duration::from_secs(120),
    };

    fn stream(texts: &[&str]) -> Stream {
        let mut stream = Stream::new("token".into(), None);
        for text in texts {
            stream.keep(text, NOW, &LIMITS, Bound::Forget).unwrap();
        }
        stream
    }

    fn after(stream: &mut Stream, seq: u64) -> Option<Vec<String>> {
        Some(stream.resume(seq, NOW)?.map(String::from).collect())
    }

    fn some(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_string()).collect())
    }

    #[test]
    fn everything_after_the_last_that_arrived_comes_again() {
        for (seq, expected) in [(0, some(&["1", "2", "3"])), (2, some(&["3"])), (3, some(&[]))] {
            assert_eq!(after(&mut stream(&["1", "2", "3"]), seq), expected);
        }
        assert_eq!(after(&mut stream(&["1", "2", "3"]), 4), None, "that was never sent");
        assert_eq!(after(&mut stream(&[]), u64::MAX), None);
    }

    #[test]
    fn what_is_acknowledged_is_not_kept() {
        let mut stream = stream(&["1", "2", "3"]);
        stream.acknowledge(2);
        assert_eq!(after(&mut stream, 1), None);
        assert_eq!(after(&mut stream, 2), some(&["3"]));
        stream.acknowledge(99);
        assert_eq!((after(&mut stream, 3), stream.bytes()), (some(&[]), 0));
    }

    #[test]
    fn a_resumption_acknowledges_as_well() {
        let mut stream = stream(&["1", "2", "3"]);
        assert_eq!(after(&mut stream, 2), some(&["3"]));
        assert_eq!(stream.bytes(), 1);
    }

    #[test]
    fn a_client_that_acknowledges_nothing_cannot_resume_beyond_the_bounds() {
        let by_count = &mut stream(&["1", "2", "3", "4"]);
        assert_eq!((after(by_count, 0), after(by_count, 1)), (None, some(&["2", "3", "4"])));
        let by_bytes = &mut stream(&["12345", "67890", "x"]);
        assert_eq!((after(by_bytes, 0), after(by_bytes, 1)), (None, some(&["67890", "x"])));
        let by_age = &mut stream(&["1"]);
        by_age.keep("2", NOW + Duration::from_secs(121), &LIMITS, Bound::Forget).unwrap();
        assert_eq!((after(by_age, 0), after(by_age, 1)), (None, some(&["2"])));
    }

    #[test]
    fn what_is_bigger_than_the_bound_is_sent_and_not_kept() {
        let mut stream = stream(&["1", "12345678901"]);
        assert_eq!((stream.bytes(), after(&mut stream, 1)), (0, None));
        assert_eq!(after(&mut stream, 2), some(&[]), "it arrived");
    }

    #[test]
    fn a_client_that_is_away_loses_nothing_silently() {
        let mut stream = stream(&[]);
        for text in ["1", "2", "3"] {
            stream.keep(text, NOW, &LIMITS, Bound::Refuse).unwrap();
        }
        assert_eq!(stream.keep("4", NOW, &LIMITS, Bound::Refuse), Err(Full));
        assert_eq!(stream.keep("5", NOW, &LIMITS, Bound::Exceed), Ok(()));
        assert_eq!(after(&mut stream, 0), some(&["1", "2", "3", "5"]));
    }

    #[test]
    fn a_client_cannot_have_what_it_was_never_sent() {
        let mut stream = stream(&["1"]);
        stream.keep("2", NOW, &LIMITS, Bound::Exceed).unwrap();
        assert_eq!(after(&mut stream, 2), None);
        assert_eq!(after(&mut stream, 1), some(&["2"]));
        assert_eq!(after(&mut stream, 2), some(&[]));
    }

    #[test]
    fn what_was_sent_before_the_client_went_makes_room_for_what_it_has_not_had() {
        let mut stream = stream(&["1", "2", "3"]);
        let much_later = NOW + Duration::from_secs(1_000);
        for text in ["4", "5", "6"] {
            stream.keep(text, much_later, &LIMITS, Bound::Refuse).unwrap();
        }
        assert_eq!(stream.keep("7", much_later, &LIMITS, Bound::Refuse), Err(Full));
        assert_eq!(after(&mut stream, 2), None);
        assert_eq!(after(&mut stream, 3), some(&["4", "5", "6"]));
    }

    #[test]
    fn what_waited_for_the_client_ages_from_when_it_is_sent() {
        let mut stream = stream(&["1"]);
        stream.keep("2", NOW, &LIMITS, Bound::Refuse).unwrap();
        let back = NOW + Duration::from_secs(100);
        assert_eq!(stream.resume(1, back).map(Iterator::count), Some(1));
        let later = NOW + Duration::from_secs(121);
        stream.keep("3", later, &LIMITS, Bound::Forget).unwrap();
        assert_eq!(after(&mut stream, 1), some(&["2", "3"]));
    }
}
