//! The messages of one read, on their way to their receivers.

use securecall_websocket::write_text;

/// Frames in one buffer, in runs of one receiver.
#[derive(Default)]
pub(crate) struct Outgoing {
    frames: Vec<u8>,
    runs: Vec<Run>,
}

/// Frames in a row for one receiver: one write.
struct Run {
    to: usize,
    end: usize,
}

impl Outgoing {
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
        self.runs.clear();
    }

    pub(crate) fn push(&mut self, to: usize, text: &str) {
        write_text(&mut self.frames, text);
        let end = self.frames.len();
        match self.runs.last_mut() {
            Some(run) if run.to == to => run.end = end,
            _ => self.runs.push(Run { to, end }),
        }
    }

    /// Each run: the receiver's index, and its bytes.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut start = 0;
        self.runs.iter().map(move |run| {
            let bytes = &self.frames[start..run.end];
            start = run.end;
            (run.to, bytes)
        })
    }
}
