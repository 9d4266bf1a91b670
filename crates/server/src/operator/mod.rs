//! The operator's access to the directory: export, import, reset, history.
//!
//! The commands use the same protocol (`protocol`) whether or not a server runs in the data
//! folder: they connect to the server through a socket in the folder (`control`), or else to a
//! thread of their own that has opened the folder. So both behave the same, and one test covers
//! both.
//!
//! Whoever may access the folder may use the socket; there is no other authentication. Nothing here
//! runs on a thread that serves clients.

mod control;
mod error;
mod history;
mod protocol;
mod responder;
#[cfg(test)]
mod tests;

use std::io::{self, BufReader, BufWriter, Read as _, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use securecall_core::directory::Replacement;
use securecall_protocol::ClientId;

use crate::data_dir::{DataDir, DataDirError};
use crate::directory::{Embedded, Import, Imported, Reset};
pub(crate) use control::Control;
pub use error::OperatorError;
use history::parse_lines;
pub use history::{History, LinkLine, ResetLine};
use protocol::{Reply, Request, receive, send};
use responder::{Bounds, respond};

/// The time limit for an answer of the directory. An import of a million records takes less than a
/// minute on a slow disk, and an operator can interrupt the command.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);

/// The rules for a folder without a running server, which has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The bound of a key, in bytes.
    pub key_bytes_max: usize,
    /// The delay of the reset of a bound id.
    pub reset_delay: Duration,
}

/// A connection to the directory of a data folder.
pub struct Operator {
    stream: BufReader<UnixStream>,
    running: bool,
    /// The thread that answers if no server runs.
    thread: Option<JoinHandle<()>>,
}

impl Operator {
    /// Connects to the server that uses the folder at `path`. If none runs, opens the folder until
    /// the operator is dropped, under these `rules`.
    ///
    /// # Errors
    /// There is no data folder, it cannot be used, or its server does not answer.
    pub fn at(path: &Path, rules: Rules) -> Result<Self, OperatorError> {
        Self::of(DataDir::existing(path), path, rules)
    }

    /// Connects as [`Operator::at`] does, but creates the folder and its directory if necessary.
    ///
    /// # Errors
    /// As [`Operator::at`], or the folder cannot be created.
    pub fn at_new(path: &Path, rules: Rules) -> Result<Self, OperatorError> {
        Self::of(DataDir::open(path), path, rules)
    }

    fn of(
        opened: Result<DataDir, DataDirError>,
        path: &Path,
        rules: Rules,
    ) -> Result<Self, OperatorError> {
        match opened {
            Ok(data_dir) => Self::of_stopped(data_dir.directory()?, rules),
            Err(DataDirError::InUse(_)) => Self::of_running(path),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns true if a server uses the folder.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Writes all records to `lines`, in the order of their ids. Returns their number.
    ///
    /// # Errors
    /// The export is incomplete.
    pub fn export(&mut self, lines: &mut impl Write) -> Result<u64, OperatorError> {
        self.ask(&Request::Export)?;
        loop {
            match self.answer()? {
                Reply::Page { bytes } => self.copy(bytes, lines)?,
                Reply::Exported { records } => return Ok(records),
                other => return Err(other.into()),
            }
        }
    }

    /// Imports all records, or none.
    ///
    /// # Errors
    /// There were conflicts. After any other error the records may have been imported, unless the
    /// error says otherwise; a retry is safe.
    pub fn import(&mut self, import: &Import) -> Result<Imported, OperatorError> {
        self.ask(&Request::Import {
            records: import.len(),
            bytes: import.records().iter().map(|record| record.line_bytes() as u64).sum(),
            replace: import.replacement() == Replacement::Allowed,
        })?;
        match self.answer()? {
            Reply::Ready => self.send_records(import)?,
            other => return Err(other.into()),
        }
        match self.answer()? {
            Reply::Imported { new, same, replaced, longer } => {
                Ok(Imported { new, same, replaced, longer })
            }
            other => Err(other.into()),
        }
    }

    /// Removes the keys of these ids. The reset of a bound id waits for its delay.
    ///
    /// # Errors
    /// The keys may have been removed; a retry is safe.
    pub fn reset(&mut self, ids: &[ClientId]) -> Result<Vec<Reset>, OperatorError> {
        self.ask(&Request::Reset { client_ids: texts(ids) })?;
        match self.answer()? {
            Reply::Reset { resets } if resets.len() == ids.len() => Ok(resets),
            other => Err(other.into()),
        }
    }

    /// Withdraws pending resets. Returns for each id whether it had one.
    ///
    /// # Errors
    /// The resets may have been withdrawn; a retry is safe.
    pub fn cancel_resets(&mut self, ids: &[ClientId]) -> Result<Vec<bool>, OperatorError> {
        self.ask(&Request::CancelResets { client_ids: texts(ids) })?;
        match self.answer()? {
            Reply::Cancelled { had_reset } if had_reset.len() == ids.len() => Ok(had_reset),
            other => Err(other.into()),
        }
    }

    /// Returns the pending resets, in the order of their ids.
    ///
    /// # Errors
    /// Nothing was listed.
    pub fn pending_resets(&mut self) -> Result<Vec<ResetLine>, OperatorError> {
        self.ask(&Request::Resets)?;
        Ok(parse_lines(&self.listed()?).collect::<Result<_, _>>()?)
    }

    /// Returns the chain of an id.
    ///
    /// # Errors
    /// Nothing was listed.
    pub fn history(&mut self, id: &ClientId) -> Result<History, OperatorError> {
        self.ask(&Request::History { client_id: id.as_str().into() })?;
        Ok(History::parse(&self.listed()?)?)
    }

    fn listed(&mut self) -> Result<Vec<u8>, OperatorError> {
        let mut lines = Vec::new();
        loop {
            match self.answer()? {
                Reply::Page { bytes } => self.copy(bytes, &mut lines)?,
                Reply::Listed { .. } => return Ok(lines),
                other => return Err(other.into()),
            }
        }
    }

    fn of_stopped(directory: Embedded, rules: Rules) -> Result<Self, OperatorError> {
        let (ours, theirs) = UnixStream::pair()?;
        let key_bytes_max = Arc::new(rules.key_bytes_max.into());
        directory.set_reset_delay(rules.reset_delay);
        let bounds = Bounds { import_bytes_max: u64::MAX, key_bytes_max };
        let thread = thread::Builder::new().name("directory".to_owned()).spawn(move || {
            // It ends with the last message of the other side.
            let _ = respond(&theirs, &directory, &bounds);
            directory.close();
        })?;
        Self::over(ours, Some(thread))
    }

    fn of_running(path: &Path) -> Result<Self, OperatorError> {
        let stream = control::connect(path)
            .map_err(|source| OperatorError::NoControl { path: path.to_owned(), source })?;
        Self::over(stream, None)
    }

    fn over(stream: UnixStream, thread: Option<JoinHandle<()>>) -> Result<Self, OperatorError> {
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { stream: BufReader::new(stream), running: thread.is_none(), thread })
    }

    fn ask(&mut self, request: &Request) -> Result<(), OperatorError> {
        Ok(send(self.stream.get_mut(), request)?)
    }

    fn send_records(&mut self, import: &Import) -> io::Result<()> {
        let mut stream = BufWriter::new(self.stream.get_mut());
        let mut line = String::new();
        for record in import.records() {
            line.clear();
            record.write_to(&mut line);
            stream.write_all(line.as_bytes())?;
        }
        stream.flush()
    }

    fn answer(&mut self) -> Result<Reply, OperatorError> {
        match receive(&mut self.stream)? {
            Some(Reply::Refused { refusal }) => Err(refusal.into()),
            Some(reply) => Ok(reply),
            None => Err(OperatorError::Io(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    fn copy(&mut self, bytes: u64, lines: &mut impl Write) -> Result<(), OperatorError> {
        let mut page = Vec::new();
        self.stream.by_ref().take(bytes).read_to_end(&mut page)?;
        if page.len() as u64 != bytes {
            return Err(OperatorError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        lines.write_all(&page).map_err(OperatorError::NotWritten)
    }
}

fn texts(ids: &[ClientId]) -> Vec<Box<str>> {
    ids.iter().map(|id| id.as_str().into()).collect()
}

impl Drop for Operator {
    /// Waits for the thread, so that the folder is free afterwards.
    fn drop(&mut self) {
        let _ = self.stream.get_ref().shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
