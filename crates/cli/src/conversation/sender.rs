//! The sending side of a channel, in a task of its own, so that waiting for room in the channel
//! does not stop the reading.

use std::path::Path;
use std::sync::Arc;

use securecall_peer::Peer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::input::Line;
use super::options::Opening;

/// The bound of the queue of lines.
const PENDING_LINES_MAX: usize = 16;

/// A queue to the channel.
pub(super) struct Sender {
    /// `None` once no more lines will come.
    queue: Option<mpsc::Sender<Line>>,
    task: JoinHandle<bool>,
    /// The result of the task once it has ended: true if the channel accepted everything.
    took_all: Option<bool>,
    /// Files with unknown delivery, by the names that the other end sees.
    files: Vec<String>,
}

impl Sender {
    /// Starts the task with the text and files of the command line.
    pub(super) fn start(peer: Arc<Peer>, opening: Opening) -> Self {
        let (queue, lines) = mpsc::channel(PENDING_LINES_MAX);
        let files = opening.files.iter().map(|path| name_of(path)).collect();
        let says = opening.lines.into_iter().map(Line::Text);
        let first: Vec<Line> = says.chain(opening.files.into_iter().map(Line::Send)).collect();
        let task = tokio::spawn(run(peer, first, lines));
        Self { queue: Some(queue), task, took_all: None, files }
    }

    /// Waits for room in the queue, or forever once no more lines are accepted.
    pub(super) fn room(&self) -> impl Future<Output = ()> + use<> {
        let queue = self.queue.clone();
        async move {
            match queue {
                // An error means that the task is gone; `take` will drop the line.
                Some(queue) => drop(queue.reserve().await),
                None => std::future::pending().await,
            }
        }
    }

    /// Queues a line. The caller has waited for room.
    pub(super) fn take(&mut self, line: Line) {
        let file = if let Line::Send(path) = &line { Some(name_of(path)) } else { None };
        let taken = self.queue.as_ref().is_some_and(|queue| queue.try_send(line).is_ok());
        self.files.extend(file.filter(|_| taken));
    }

    /// Closes the queue.
    pub(super) fn finish(&mut self) {
        self.queue = None;
    }

    /// Removes a file that was delivered or has failed.
    pub(super) fn file_done(&mut self, name: &str) {
        // Files with equal names are interchangeable here.
        if let Some(at) = self.files.iter().position(|file| file == name) {
            self.files.remove(at);
        }
    }

    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Returns the files with unknown delivery.
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// Waits until the channel has accepted everything and all files are delivered. Must be called
    /// again after each event.
    pub(super) async fn all_sent(&mut self) {
        self.end().await;
        if self.has_files() {
            std::future::pending::<()>().await;
        }
    }

    /// Closes the queue, and waits until the channel has accepted the rest, or is closed. Returns
    /// true if it accepted everything. Cancel safe.
    pub(super) async fn end(&mut self) -> bool {
        self.finish();
        match self.took_all {
            Some(took_all) => took_all,
            None => {
                // An error means that the task was cancelled with the runtime.
                let took_all = (&mut self.task).await.unwrap_or(false);
                *self.took_all.insert(took_all)
            }
        }
    }
}

/// Sends everything. Returns true if the channel accepted all of it.
async fn run(peer: Arc<Peer>, first: Vec<Line>, mut lines: mpsc::Receiver<Line>) -> bool {
    let mut took_all = true;
    for line in first {
        took_all &= send(&peer, line).await.is_ok();
    }
    while let Some(line) = lines.recv().await {
        took_all &= send(&peer, line).await.is_ok();
    }
    took_all
}

async fn send(peer: &Peer, line: Line) -> Result<(), securecall_peer::Error> {
    match line {
        Line::Text(text) => {
            for part in parts(&text) {
                peer.send_text(part).await?;
            }
            Ok(())
        }
        Line::Send(path) => peer.send_file(path).await,
        Line::Call(_) | Line::Quit | Line::Help | Line::Nothing => Ok(()),
    }
}

/// Returns the name of a file as the peer's events contain it.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Splits a text into messages, between characters.
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
