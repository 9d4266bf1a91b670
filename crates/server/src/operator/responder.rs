//! The directory's side of an operator's connection.

use std::io::{self, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use securecall_core::directory::Replacement;
use securecall_protocol::ClientId;
use tracing::info;

use super::protocol::{Refusal, Reply, Request, receive, send};
use crate::directory::{Conflicts, Embedded, Import, ImportError, Imported};

/// The bounds of an operator's requests.
pub(super) struct Bounds {
    /// The bound of an import, all of which is held in memory.
    pub(super) import_bytes_max: u64,
    /// The bound of a key between its quotes, shared with the directory, where it may change.
    pub(super) key_bytes_max: Arc<AtomicUsize>,
}

/// Executes the operator's request and sends the reply. Blocks on the stream and the disk.
///
/// # Errors
/// The operator has disconnected, or is too slow.
pub(super) fn respond(
    mut stream: &UnixStream,
    directory: &Embedded,
    bounds: &Bounds,
) -> io::Result<()> {
    let mut words = BufReader::new(stream);
    let request = match receive(&mut words) {
        Ok(Some(request)) => request,
        Ok(None) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return send(&mut stream, &Refusal::NotUnderstood.into_reply());
        }
        Err(error) => return Err(error),
    };
    let reply = match request {
        Request::Export => export(stream, directory)?,
        Request::Reset { client_ids } => reset(directory, &client_ids),
        Request::Import { bytes, .. } if bytes > bounds.import_bytes_max => {
            Err(Refusal::TooLarge { bytes_max: bounds.import_bytes_max })
        }
        Request::Import { records, bytes, replace } => {
            send(&mut stream, &Reply::Ready)?;
            let mut lines = words.take(bytes);
            let key_bytes_max = bounds.key_bytes_max.load(Ordering::Relaxed);
            let replacement = if replace { Replacement::Allowed } else { Replacement::Refused };
            let import = Import::read(&mut lines, key_bytes_max, replacement);
            // Read to the end, because an operator that is still sending does not read the reply.
            io::copy(&mut lines, &mut io::sink())?;
            take_in(directory, import, records)
        }
    };
    send(&mut stream, &reply.unwrap_or_else(Refusal::into_reply))
}

/// The final reply.
type Outcome = Result<Reply, Refusal>;

fn export(mut stream: &UnixStream, directory: &Embedded) -> io::Result<Outcome> {
    let mut export = directory.export();
    let mut records = 0;
    loop {
        let Ok(page) = export.next_page() else { return Ok(Err(Refusal::Unavailable)) };
        if page.records == 0 {
            info!(records, "an operator exported the directory");
            return Ok(Ok(Reply::Exported { records }));
        }
        records += page.records as u64;
        send(&mut stream, &Reply::Page { bytes: page.lines.len() as u64 })?;
        stream.write_all(page.lines.as_bytes())?;
    }
}

fn reset(directory: &Embedded, ids: &[Box<str>]) -> Outcome {
    let ids: Result<Vec<ClientId>, _> = ids.iter().map(|id| ClientId::try_from(&**id)).collect();
    let ids = ids.map_err(|_| Refusal::NotUnderstood)?;
    let had_key = directory.reset(ids).map_err(|_| Refusal::Unavailable)?;
    let keys = had_key.iter().filter(|had_key| **had_key).count();
    info!(keys, "an operator reset keys");
    Ok(Reply::Reset { had_key })
}

fn take_in(directory: &Embedded, import: Result<Import, ImportError>, records: usize) -> Outcome {
    let import = import.map_err(|error| Refusal::Records { reason: error.to_string() })?;
    if import.len() != records {
        return Err(Refusal::Records { reason: "some of it did not arrive".to_owned() });
    }
    match directory.import(import).map_err(|_| Refusal::Unavailable)? {
        Ok(Imported { new, same, replaced }) => {
            info!(new, same, replaced, "an operator imported keys");
            Ok(Reply::Imported { new, same, replaced })
        }
        Err(Conflicts { lines, count }) => Err(Refusal::Conflicts { lines, count }),
    }
}

impl Refusal {
    fn into_reply(self) -> Reply {
        Reply::Refused { refusal: self }
    }
}
