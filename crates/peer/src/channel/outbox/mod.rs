//! Files that we send, one after the other. A thread, because it reads files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::file_name::FileName;
use super::frame::{CHUNK_BYTES_MAX, Frame, Message};
use super::inbox::PROGRESS_BYTES;
use super::incoming_file::hex;
use super::verdict::{NoVerdict, Verdict, VerdictReceiver};
use crate::{Direction, Event, FileError, FileProgress};

/// The time that the other end has to answer a file. 768 KiB of it may still be in flight, which a
/// line of 64 kbit/s carries in 96 seconds.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// The disk rate below which a receiver is given up. A large file takes longer to be stored, so the
/// time to answer grows with its size.
const DISK_BYTES_PER_SECOND_MIN: u64 = 1 << 20;

/// Sends files.
pub(crate) struct Outbox {
    pub(crate) outgoing: mpsc::Sender<Message>,
    pub(crate) verdicts: VerdictReceiver,
    pub(crate) events: mpsc::Sender<Event>,
    /// With a file of no bytes, after its end was sent.
    pub(crate) timeout: Duration,
}

/// The connection is over, or nobody reads events.
struct Over;

/// The end of a file that was begun.
enum Ended {
    Sent { received_as: Option<String> },
    Failed(FileError),
}

impl Outbox {
    /// Runs until the connection is over, or until the queue of files is closed.
    pub(crate) fn run(self, mut files: mpsc::Receiver<PathBuf>) {
        let mut id = 0;
        while let Some(path) = files.blocking_recv() {
            id += 1;
            if self.send(id, &path).is_err() {
                return;
            }
        }
    }

    fn send(&self, id: u64, path: &Path) -> Result<(), Over> {
        // What is no text in a name becomes U+FFFD; what else is wrong with it the receiver mends.
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ended = match open(path) {
            Ok((file, size)) => self.send_file(id, &name, file, size)?,
            Err(error) => Ended::Failed(error),
        };
        self.emit_end(name, ended)
    }

    fn send_file(&self, id: u64, name: &str, file: File, size: u64) -> Result<Ended, Over> {
        self.verdicts.begin(id);
        self.write(Frame::File { id, name: name.to_owned(), size })?;
        match self.send_chunks(id, name, file, size)? {
            Ok(sha256) => {
                self.write(Frame::FileEnd { id, sha256 })?;
                self.verdict(id, size)
            }
            Err(error) => {
                self.write(Frame::FileCancel { id })?;
                Ok(Ended::Failed(error))
            }
        }
    }

    /// Gives the hash of what was sent.
    fn send_chunks(
        &self,
        id: u64,
        name: &str,
        mut file: File,
        bytes_total: u64,
    ) -> Result<Result<String, FileError>, Over> {
        let mut hash = Sha256::new();
        let mut bytes = 0;
        let mut chunk = vec![0; CHUNK_BYTES_MAX];
        loop {
            if let Some(refusal) = self.verdicts.refusal(id) {
                return Ok(Err(FileError::Refused(refusal)));
            }
            let length = match file.read(&mut chunk) {
                Ok(0) if bytes == bytes_total => return Ok(Ok(hex(&hash.finalize()))),
                Ok(0) => return Ok(Err(FileError::Changed)),
                Ok(length) => length,
                Err(error) => return Ok(Err(FileError::Read(error.to_string()))),
            };
            let read = chunk.get(..length).unwrap_or_default();
            if bytes + length as u64 > bytes_total {
                return Ok(Err(FileError::Changed));
            }
            hash.update(read);
            self.outgoing.blocking_send(Message::Chunk(read.to_vec())).map_err(|_| Over)?;
            let before = bytes;
            bytes += length as u64;
            if before / PROGRESS_BYTES != bytes / PROGRESS_BYTES || bytes == bytes_total {
                self.emit_progress(name, bytes, bytes_total);
            }
        }
    }

    /// Waits for the other end's answer.
    fn verdict(&self, id: u64, bytes: u64) -> Result<Ended, Over> {
        match self.verdicts.wait(id, answer_timeout(self.timeout, bytes)) {
            Ok(Verdict { received: Ok(name), .. }) => Ok(Ended::Sent { received_as: name }),
            Ok(Verdict { received: Err(refusal), .. }) => {
                Ok(Ended::Failed(FileError::Refused(refusal)))
            }
            Err(NoVerdict::Unanswered) => Ok(Ended::Failed(FileError::Unanswered)),
            Err(NoVerdict::Over) => Err(Over),
        }
    }

    fn write(&self, frame: Frame) -> Result<(), Over> {
        self.outgoing.blocking_send(Message::Frame(frame)).map_err(|_| Over)
    }

    fn emit_end(&self, name: String, ended: Ended) -> Result<(), Over> {
        let event = match ended {
            Ended::Sent { received_as } => {
                // It is shown, so it is no less dangerous here.
                let received_as = received_as.and_then(|name| FileName::new(&name));
                let received_as = received_as.map(|name| name.as_str().to_owned());
                Event::FileSent { name, received_as }
            }
            Ended::Failed(error) => {
                Event::FileFailed { direction: Direction::Outgoing, name, error }
            }
        };
        self.events.blocking_send(event).map_err(|_| Over)
    }

    /// Left out where events are read slowly.
    fn emit_progress(&self, name: &str, bytes: u64, bytes_total: u64) {
        let (direction, name) = (Direction::Outgoing, name.to_owned());
        let progress = FileProgress { direction, name, bytes, bytes_total };
        let _ = self.events.try_send(Event::FileProgress(progress));
    }
}

fn answer_timeout(least: Duration, bytes: u64) -> Duration {
    least + Duration::from_secs(bytes / DISK_BYTES_PER_SECOND_MIN)
}

/// A plain file and its size in bytes.
fn open(path: &Path) -> Result<(File, u64), FileError> {
    let unreadable = |error: std::io::Error| FileError::Read(error.to_string());
    // The kind is checked before opening, because opening a pipe blocks until its other end is
    // opened.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(FileError::Read("it is no plain file".to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    Ok((file, size))
}

#[cfg(test)]
mod tests;
