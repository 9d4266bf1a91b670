//! What is to be sent, in a task of its own: it waits for room in the channel, and meanwhile what
//! arrives is read.

use std::sync::Arc;

use securecall_peer::Peer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::input::Line;
use super::options::Options;

/// Lines that wait.
const LINES_WAITING_MAX: usize = 16;

/// A queue to the channel.
pub(super) struct Sender {
    /// `None`: nothing more will come.
    queue: Option<mpsc::Sender<Line>>,
    task: JoinHandle<()>,
    finished: bool,
    /// Files of which it is not known yet what became of them.
    files: usize,
}

impl Sender {
    /// Starts with what the command line asks for.
    pub(super) fn start(peer: Arc<Peer>, options: &Options) -> Self {
        let (queue, lines) = mpsc::channel(LINES_WAITING_MAX);
        let says = options.message.iter().cloned().map(Line::Say);
        let sends = options.send.iter().cloned().map(Line::Send);
        let first: Vec<Line> = says.chain(sends).collect();
        let task = tokio::spawn(run(peer, first, lines));
        Self { queue: Some(queue), task, finished: false, files: options.send.len() }
    }

    pub(super) fn has_room(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.capacity() > 0)
    }

    /// Takes a line; there must be room.
    pub(super) fn take(&mut self, line: Line) {
        let is_file = matches!(line, Line::Send(_));
        let taken = self.queue.as_ref().is_some_and(|queue| queue.try_send(line).is_ok());
        self.files += usize::from(is_file && taken);
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self) {
        self.queue = None;
    }

    /// The other end has a file, or never will.
    pub(super) const fn file_done(&mut self) {
        self.files = self.files.saturating_sub(1);
    }

    pub(super) const fn has_files(&self) -> bool {
        self.files > 0
    }

    /// Waits until everything is with the channel and every file with the other end. Call it anew
    /// after each event.
    pub(super) async fn all_sent(&mut self) {
        if !self.finished {
            // An error: the task was ended with the runtime.
            let _ = (&mut self.task).await;
            self.finished = true;
        }
        if self.has_files() {
            std::future::pending::<()>().await;
        }
    }
}

async fn run(peer: Arc<Peer>, first: Vec<Line>, mut lines: mpsc::Receiver<Line>) {
    for line in first {
        send(&peer, line).await;
    }
    while let Some(line) = lines.recv().await {
        send(&peer, line).await;
    }
}

/// An error: the connection is over, which an event tells.
async fn send(peer: &Peer, line: Line) {
    match line {
        Line::Say(text) => {
            for part in parts(&text) {
                let _ = peer.send_text(part).await;
            }
        }
        Line::Send(path) => drop(peer.send_file(path).await),
        Line::Quit | Line::Help | Line::Nothing => {}
    }
}

/// A line may be longer than a message: it is cut between characters.
fn parts(mut text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while text.len() > securecall_peer::TEXT_BYTES_MAX {
        let (part, rest) = text.split_at(text.floor_char_boundary(securecall_peer::TEXT_BYTES_MAX));
        parts.push(part);
        text = rest;
    }
    parts.push(text);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let text = "ü".repeat(securecall_peer::TEXT_BYTES_MAX);
        let parts = parts(&text);
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().all(|part| part.len() <= securecall_peer::TEXT_BYTES_MAX));
    }
}
