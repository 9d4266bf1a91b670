//! The receiving side of the channel: chat lines become events, files are written. A thread,
//! because writing files blocks.

use tokio::sync::{mpsc, oneshot};

use super::allowance::Allowance;
use super::file_name::FileName;
use super::frame::{Frame, Message};
use super::incoming_file::IncomingFile;
use super::verdict::{Verdict, VerdictSender};
use crate::{Direction, Event, FileError, FileProgress, Refusal, Violation};

/// A message as the channel gives it: whether it is binary, and its bytes.
pub(crate) type RawMessage = (bool, Vec<u8>);

/// The bytes between two progress events of a file.
pub(crate) const PROGRESS_BYTES: u64 = 64 * 1024;

/// Takes what the other end sends.
pub(crate) struct Inbox {
    pub(crate) allowance: Allowance,
    pub(crate) events: mpsc::Sender<Event>,
    /// Answers to the other end's files. They have a queue of their own: behind our own files they
    /// would be stuck until the other end reads, and it may be blocked until it has them.
    pub(crate) replies: mpsc::Sender<Frame>,
    pub(crate) verdicts: VerdictSender,
}

/// The file that is arriving. At most one at a time.
enum State {
    Idle,
    Receiving(u64, Box<IncomingFile>),
    /// It is refused; what was under way already is thrown away.
    Discarding(u64),
}

/// Why no more is taken.
enum Stop {
    Violation(Violation),
    /// Nobody reads events any more.
    Unread,
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl Inbox {
    /// Runs until there are no more messages. `stopped` receives a violation, and is dropped in any
    /// case when the last event is out.
    pub(crate) fn run(
        mut self,
        mut messages: mpsc::Receiver<RawMessage>,
        stopped: oneshot::Sender<Violation>,
    ) {
        let mut state = State::Idle;
        while let Some((binary, bytes)) = messages.blocking_recv() {
            let taken = Message::read(binary, bytes).map_err(Stop::from);
            match taken.and_then(|message| self.take(state, message)) {
                Ok(next) => state = next,
                Err(Stop::Unread) => return,
                // An error: the receiver is gone, so the connection is over already.
                Err(Stop::Violation(violation)) => {
                    let _ = stopped.send(violation);
                    return;
                }
            }
        }
        if let State::Receiving(_, file) = state {
            // An error: nobody reads events any more.
            let _ = self.emit_failure(file.name().as_str(), FileError::Cancelled);
        }
    }

    fn take(&mut self, state: State, message: Message) -> Result<State, Stop> {
        match (message, state) {
            (Message::Chunk(chunk), state) => self.take_chunk(state, &chunk),
            (Message::Frame(Frame::Text { text }), state) => {
                self.emit(Event::Text(text))?;
                Ok(state)
            }
            (Message::Frame(Frame::File { id, name, size }), State::Idle) => {
                self.begin(id, &name, size)
            }
            (Message::Frame(Frame::File { .. }), _) => Err(Violation::FileWithinFile.into()),
            (Message::Frame(Frame::FileEnd { id, sha256 }), state) => self.end(state, id, &sha256),
            (Message::Frame(Frame::FileCancel { id }), state) => self.cancel(state, id),
            (Message::Frame(Frame::FileReceived { id, name }), state) => {
                self.verdicts.pass_on(Verdict { id, received: Ok(name) })?;
                Ok(state)
            }
            (Message::Frame(Frame::FileRefused { id, reason }), state) => {
                self.verdicts.pass_on(Verdict { id, received: Err(reason) })?;
                Ok(state)
            }
        }
    }

    fn begin(&self, id: u64, name: &str, size: u64) -> Result<State, Stop> {
        let Some(name) = FileName::new(name) else {
            self.refuse(id, "", Refusal::Name)?;
            return Ok(State::Discarding(id));
        };
        match self.allowance.begin(name.clone(), size) {
            Ok(file) => {
                self.emit_progress(&file);
                Ok(State::Receiving(id, Box::new(file)))
            }
            Err(refusal) => {
                self.refuse(id, name.as_str(), refusal)?;
                Ok(State::Discarding(id))
            }
        }
    }

    fn take_chunk(&self, state: State, chunk: &[u8]) -> Result<State, Stop> {
        let (id, mut file) = match state {
            State::Idle => return Err(Violation::NoFile.into()),
            State::Discarding(id) => return Ok(State::Discarding(id)),
            State::Receiving(id, file) => (id, file),
        };
        let before = file.bytes();
        if let Err(refusal) = file.take(chunk)? {
            self.refuse(id, file.name().as_str(), refusal)?;
            return Ok(State::Discarding(id));
        }
        if before / PROGRESS_BYTES != file.bytes() / PROGRESS_BYTES
            || file.bytes() == file.bytes_total()
        {
            self.emit_progress(&file);
        }
        Ok(State::Receiving(id, file))
    }

    fn end(&mut self, state: State, id: u64, sha256: &str) -> Result<State, Stop> {
        match state {
            State::Discarding(begun) if begun == id => {}
            State::Receiving(begun, file) if begun == id => {
                let (name, bytes) = (file.name().clone(), file.bytes());
                match file.finish(sha256) {
                    Ok(path) => {
                        self.allowance.keep(bytes);
                        // A number was added to the name if the folder has other files. The sender
                        // must not learn of them.
                        let other = name.is_renamed().then(|| name.as_str().to_owned());
                        self.reply(Frame::FileReceived { id, name: other })?;
                        self.emit(Event::FileReceived { path })?;
                    }
                    Err(refusal) => self.refuse(id, name.as_str(), refusal)?,
                }
            }
            _ => return Err(Violation::NoFile.into()),
        }
        Ok(State::Idle)
    }

    fn cancel(&self, state: State, id: u64) -> Result<State, Stop> {
        match state {
            State::Discarding(begun) if begun == id => {}
            State::Receiving(begun, file) if begun == id => {
                self.emit_failure(file.name().as_str(), FileError::Cancelled)?;
            }
            _ => return Err(Violation::NoFile.into()),
        }
        Ok(State::Idle)
    }

    fn refuse(&self, id: u64, name: &str, refusal: Refusal) -> Result<(), Stop> {
        self.reply(Frame::FileRefused { id, reason: refusal })?;
        self.emit_failure(name, FileError::Refused(refusal))
    }

    fn emit_failure(&self, name: &str, error: FileError) -> Result<(), Stop> {
        let name = name.to_owned();
        self.emit(Event::FileFailed { direction: Direction::Incoming, name, error })
    }

    fn emit(&self, event: Event) -> Result<(), Stop> {
        self.events.blocking_send(event).map_err(|_| Stop::Unread)
    }

    /// Left out where events are read slowly.
    fn emit_progress(&self, file: &IncomingFile) {
        let progress = FileProgress {
            direction: Direction::Incoming,
            name: file.name().as_str().to_owned(),
            bytes: file.bytes(),
            bytes_total: file.bytes_total(),
        };
        let _ = self.events.try_send(Event::FileProgress(progress));
    }

    fn reply(&self, frame: Frame) -> Result<(), Stop> {
        match self.replies.try_send(frame) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Violation::Flood.into()),
            // Closed: the connection is over, and nobody needs the answer.
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
