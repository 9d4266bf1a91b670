//! The ends of calls that this client has sent, which the server may have lost.

use std::collections::VecDeque;

use securecall_protocol::client::Outgoing;

/// Bound of the ends that are remembered.
const SENT_ENDS_MAX: usize = 64;
/// Bound of the repetitions of each.
const REPEATS_MAX: u8 = 3;

/// CALL_END and CALL_REJECT, the newest last.
#[derive(Default)]
pub(super) struct SentEnds(VecDeque<SentEnd>);

struct SentEnd {
    message: Outgoing,
    repeats_left: u8,
}

impl SentEnds {
    /// Remembers an end in place of the oldest one.
    pub(super) fn push(&mut self, message: Outgoing) {
        if self.0.len() >= SENT_ENDS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(SentEnd { message, repeats_left: REPEATS_MAX });
    }

    /// Returns whether this client has ended the call.
    pub(super) fn contains(&self, wire_id: &str) -> bool {
        self.0.iter().any(|end| end.message.call_id() == Some(wire_id))
    }

    /// Takes one repetition. `None`: the call was not ended here, or the end was repeated enough.
    pub(super) fn repeat(&mut self, wire_id: &str) -> Option<Outgoing> {
        let end = self.0.iter_mut().find(|end| end.message.call_id() == Some(wire_id))?;
        end.repeats_left = end.repeats_left.checked_sub(1)?;
        Some(end.message.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(call_id: &str) -> Outgoing {
        Outgoing::CallEnd { call_id: call_id.to_owned() }
    }

    #[test]
    fn an_end_is_repeated_a_bounded_number_of_times() {
        let mut ends = SentEnds::default();
        ends.push(end_of("c1"));
        for _ in 0..REPEATS_MAX {
            assert!(ends.repeat("c1").is_some());
        }
        assert!(ends.repeat("c1").is_none());
        assert!(ends.contains("c1"), "it is over all the same");
        assert!(ends.repeat("c2").is_none());
    }

    #[test]
    fn the_oldest_end_makes_room() {
        let mut ends = SentEnds::default();
        for number in 0..=SENT_ENDS_MAX {
            ends.push(end_of(&number.to_string()));
        }
        assert!(!ends.contains("0") && ends.contains("1"));
    }
}
