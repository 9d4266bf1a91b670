//! The bound of a turn.

/// What a connection may have handled in a turn before others of its thread are looked at: so many
/// frames, or bytes.
///
/// However many connections have more than a turn's frames, one of them goes on in each turn of the
/// worker ([`flusher`](crate::connection::flusher)), and tokio asks for events after 61 tasks, every other of
/// which is the flusher. So somebody else's message is found after 31 turns, and answered after one
/// more. A ping costs 0.1 µs, nonsense and its error 0.4 µs: 32 × 64 × 0.4 µs = 0.8 ms.
const UNITS_PER_TURN: usize = 64;
/// A long frame costs its parser more than a short one: a turn is 16 KiB, or one frame.
const BYTES_PER_UNIT: usize = 256;

/// What is left of a turn.
#[derive(Debug)]
pub(super) struct Turn {
    units: usize,
}

impl Turn {
    pub(super) fn begin() -> Self {
        Self { units: UNITS_PER_TURN }
    }

    /// Counts a frame, or a piece of one, of so many bytes.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.units = self.units.saturating_sub(1 + bytes / BYTES_PER_UNIT);
    }

    pub(super) fn is_over(&self) -> bool {
        self.units == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames_in_a_turn(frame_bytes: usize) -> usize {
        let mut turn = Turn::begin();
        let mut frames = 0;
        while !turn.is_over() {
            turn.spend(frame_bytes);
            frames += 1;
        }
        frames
    }

    #[test]
    fn a_turn_is_bounded_by_frames_and_by_bytes() {
        assert_eq!(frames_in_a_turn(6), 64, "a ping without a payload");
        assert_eq!(frames_in_a_turn(250), 64, "a candidate");
        assert_eq!(frames_in_a_turn(8_000), 2, "an offer");
        assert_eq!(frames_in_a_turn(65_536), 1);
    }
}
