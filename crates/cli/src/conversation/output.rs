//! Standard output, written by a thread of its own: a reader that stops reading, such as a pager,
//! must block neither the connection nor Ctrl-C.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::drawing::Drawing;

/// The bound of the queue. When it is full, nothing more is read from the other end, which has to
/// wait.
const PENDING_LINES_MAX: usize = 64;

/// A queue to standard output.
pub(super) struct Output {
    queue: mpsc::Sender<Item>,
    failure: Arc<OnceLock<io::Error>>,
}

enum Item {
    Line(String),
    /// Reports when everything before it is written.
    Flush(oneshot::Sender<()>),
}

impl Output {
    /// Starts the thread. On a terminal it writes above the bars and the input line.
    pub(super) fn start(drawing: Drawing) -> io::Result<Self> {
        let (queue, items) = mpsc::channel(PENDING_LINES_MAX);
        let failure = Arc::new(OnceLock::new());
        let failed = failure.clone();
        let is_terminal = io::stdout().is_terminal();
        let write = move |line: &str| match is_terminal {
            true => drawing.suspended(|| writeln!(io::stdout(), "{line}")),
            // No drawing there, so a slow reader must not block the drawing on standard error.
            false => writeln!(io::stdout(), "{line}"),
        };
        let thread = thread::Builder::new().name("output".to_owned());
        thread.spawn(move || write_all(items, write, &failed))?;
        Ok(Self { queue, failure })
    }

    /// Queues a line. The caller has waited for [room](Self::room).
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub(super) fn take(&self, line: String) -> io::Result<()> {
        self.queue.try_send(Item::Line(line)).map_err(|_| self.failure())
    }

    /// Waits for room for a line. Cancel safe.
    pub(super) async fn room(&self) {
        // An error means that the thread has failed, which the next line reports.
        drop(self.queue.reserve().await);
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// As [`Output::take`].
    pub(super) async fn flush(&self) -> io::Result<()> {
        let (done, written) = oneshot::channel();
        self.queue.send(Item::Flush(done)).await.map_err(|_| self.failure())?;
        written.await.map_err(|_| self.failure())
    }

    /// Waits until writing fails, and returns the error. Cancel safe.
    pub(super) async fn failed(&self) -> io::Error {
        self.queue.closed().await;
        self.failure()
    }

    fn failure(&self) -> io::Error {
        let kind = self.failure.get().map_or(io::ErrorKind::Other, io::Error::kind);
        let text = self.failure.get().map(ToString::to_string);
        io::Error::new(kind, text.unwrap_or_else(|| "it accepts no more output".to_owned()))
    }
}

/// Writes all lines. Stores the error before the queue closes, because the senders read it then.
fn write_all(
    mut items: mpsc::Receiver<Item>,
    write: impl Fn(&str) -> io::Result<()>,
    failed: &OnceLock<io::Error>,
) {
    if let Err(error) = run(&mut items, write) {
        // An error means that a failure is stored already.
        let _ = failed.set(error);
    }
}

/// Writes until the queue closes, or a write fails.
fn run(items: &mut mpsc::Receiver<Item>, write: impl Fn(&str) -> io::Result<()>) -> io::Result<()> {
    while let Some(item) = items.blocking_recv() {
        match item {
            Item::Line(line) => write(&line)?,
            // An error means that the flush was cancelled.
            Item::Flush(done) => drop(done.send(())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(write: impl Fn(&str) -> io::Result<()> + Send + 'static) -> Output {
        let (queue, items) = mpsc::channel(PENDING_LINES_MAX);
        let failure = Arc::new(OnceLock::new());
        let failed = failure.clone();
        thread::spawn(move || write_all(items, write, &failed));
        Output { queue, failure }
    }

    #[tokio::test]
    async fn lines_are_written_in_order_and_flushed() {
        let (sender, written) = std::sync::mpsc::channel();
        let output = output(move |line| sender.send(line.to_owned()).map_err(io::Error::other));
        for line in ["one", "two"] {
            output.room().await;
            output.take(line.to_owned()).unwrap();
        }
        output.flush().await.unwrap();
        assert_eq!(written.try_iter().collect::<Vec<_>>(), ["one", "two"]);
    }

    #[tokio::test]
    async fn a_full_disk_is_reported_at_once_and_at_each_line() {
        let output = output(|_| Err(io::ErrorKind::StorageFull.into()));
        output.take("one".to_owned()).unwrap();
        assert_eq!(output.failed().await.kind(), io::ErrorKind::StorageFull);
        output.room().await;
        assert_eq!(output.take("two".to_owned()).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(output.flush().await.is_err());
    }
}
