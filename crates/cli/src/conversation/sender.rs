//! What is to be sent, in a task of its own: it waits for room in the channel, and meanwhile what
//! arrives is read.

use std::path::Path;
use std::sync::Arc;

use securecall_peer::Peer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::input::Line;
use super::options::Opening;

/// Lines that wait.
const LINES_WAITING_MAX: usize = 16;

/// A queue to the channel.
pub(super) struct Sender {
    /// `None`: nothing more will come.
    queue: Option<mpsc::Sender<Line>>,
    task: JoinHandle<bool>,
    /// Once the task has ended: whether the channel took everything.
    took_all: Option<bool>,
    /// Files of which it is not known yet what became of them, by the names that the other end sees.
    files: Vec<String>,
}

impl Sender {
    /// Starts with what the command line asks for.
    pub(super) fn start(peer: Arc<Peer>, opening: Opening) -> Self {
        let (queue, lines) = mpsc::channel(LINES_WAITING_MAX);
        let files = opening.files.iter().map(|path| name_of(path)).collect();
        let says = opening.lines.into_iter().map(Line::Say);
        let first: Vec<Line> = says.chain(opening.files.into_iter().map(Line::Send)).collect();
        let task = tokio::spawn(run(peer, first, lines));
        Self { queue: Some(queue), task, took_all: None, files }
    }

    /// Waits for room for a line. Never, if nothing more is taken.
    pub(super) fn room(&self) -> impl Future<Output = ()> + use<> {
        let queue = self.queue.clone();
        async move {
            match queue {
                // An error: the task is gone, and the line will not be sent.
                Some(queue) => drop(queue.reserve().await),
                None => std::future::pending().await,
            }
        }
    }

    /// Takes a line; there must be room.
    pub(super) fn take(&mut self, line: Line) {
        let file = if let Line::Send(path) = &line { Some(name_of(path)) } else { None };
        let taken = self.queue.as_ref().is_some_and(|queue| queue.try_send(line).is_ok());
        self.files.extend(file.filter(|_| taken));
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self) {
        self.queue = None;
    }

    /// The other end has a file, or never will.
    pub(super) fn file_done(&mut self, name: &str) {
        // Of several with one name it does not matter which.
        if let Some(at) = self.files.iter().position(|file| file == name) {
            self.files.remove(at);
        }
    }

    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// The files of which it is not known what became of them.
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// Waits until everything is with the channel and every file with the other end. Call it anew
    /// after each event.
    pub(super) async fn all_sent(&mut self) {
        self.end().await;
        if self.has_files() {
            std::future::pending::<()>().await;
        }
    }

    /// Takes nothing more, and waits until the channel has what there is, or is closed. Returns
    /// whether it took everything. Cancel safe.
    pub(super) async fn end(&mut self) -> bool {
        self.finish();
        match self.took_all {
            Some(took_all) => took_all,
            None => {
                // An error: the task was ended with the runtime.
                let took_all = (&mut self.task).await.unwrap_or(false);
                *self.took_all.insert(took_all)
            }
        }
    }
}

/// Returns whether the channel took everything.
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
        Line::Say(text) => {
            for part in parts(&text) {
                peer.send_text(part).await?;
            }
            Ok(())
        }
        Line::Send(path) => peer.send_file(path).await,
        Line::Call(_) | Line::Quit | Line::Help | Line::Nothing => Ok(()),
    }
}

/// The name of a file, as events of the peer have it.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
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
