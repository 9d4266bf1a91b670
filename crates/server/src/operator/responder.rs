//! The directory's side of an operator's connection.

use std::io::{self, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use securecall_core::directory::Replacement;
use securecall_protocol::ClientId;
use tracing::info;

use super::history::{Line, ResetLine, lines_of};
use super::protocol::{Refusal, Reply, Request, receive, send};
use crate::directory::{ConflictOf, Conflicts, Embedded, Import, ImportError, Imported, Reset};

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
        Request::CancelResets { client_ids } => cancel_resets(directory, &client_ids),
        Request::Resets => pending_resets(stream, directory)?,
        Request::History { client_id } => history(stream, directory, &client_id)?,
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

/// The number of resets in a page.
const LINES_OF_PAGE: usize = 256;

/// The final reply.
type Outcome = Result<Reply, Refusal>;

fn export(stream: &UnixStream, directory: &Embedded) -> io::Result<Outcome> {
    let mut export = directory.export();
    let mut records = 0;
    loop {
        let Ok(page) = export.next_page() else { return Ok(Err(Refusal::Unavailable)) };
        if page.records == 0 {
            info!(records, "an operator exported the directory");
            return Ok(Ok(Reply::Exported { records }));
        }
        records += page.records as u64;
        send_page(stream, &page.lines)?;
    }
}

fn reset(directory: &Embedded, ids: &[Box<str>]) -> Outcome {
    let resets = directory.reset(parsed(ids)?).map_err(|_| Refusal::Unavailable)?;
    let count = |wanted: fn(&Reset) -> bool| resets.iter().filter(|reset| wanted(reset)).count();
    let keys = count(|reset| *reset == Reset::Done);
    let pending = count(|reset| matches!(reset, Reset::Pending { .. }));
    info!(keys, pending, "an operator reset keys");
    Ok(Reply::Reset { resets })
}

fn cancel_resets(directory: &Embedded, ids: &[Box<str>]) -> Outcome {
    let had_reset = directory.cancel_resets(parsed(ids)?).map_err(|_| Refusal::Unavailable)?;
    let resets = had_reset.iter().filter(|had_reset| **had_reset).count();
    info!(resets, "an operator withdrew resets");
    Ok(Reply::Cancelled { had_reset })
}

fn parsed(ids: &[Box<str>]) -> Result<Vec<ClientId>, Refusal> {
    let ids: Result<_, _> = ids.iter().map(|id| ClientId::try_from(&**id)).collect();
    ids.map_err(|_| Refusal::NotUnderstood)
}

fn pending_resets(stream: &UnixStream, directory: &Embedded) -> io::Result<Outcome> {
    let Ok(resets) = directory.pending_resets() else { return Ok(Err(Refusal::Unavailable)) };
    let mut count = 0;
    for some in resets.chunks(LINES_OF_PAGE) {
        let lines = lines_of(some.iter().map(ResetLine::from))?;
        count += some.len() as u64;
        send_page(stream, &lines)?;
    }
    Ok(Ok(Reply::Listed { lines: count }))
}

fn history(stream: &UnixStream, directory: &Embedded, id: &str) -> io::Result<Outcome> {
    let Ok(id) = ClientId::try_from(id) else { return Ok(Err(Refusal::NotUnderstood)) };
    let (mut after, mut count) = (None, 0);
    loop {
        let Ok(links) = directory.history(&id, after) else {
            return Ok(Err(Refusal::Unavailable));
        };
        let Some(last) = links.last() else { break };
        after = Some((last.position.epoch, last.position.sequence));
        count += links.len() as u64;
        send_page(stream, &lines_of(links.iter().map(Line::of_link))?)?;
    }
    let Ok(resets) = directory.pending_resets() else { return Ok(Err(Refusal::Unavailable)) };
    if let Some(reset) = resets.iter().find(|reset| *reset.client_id == *id.as_str()) {
        count += 1;
        send_page(stream, &lines_of([Line::Reset(reset.into())])?)?;
    }
    Ok(Ok(Reply::Listed { lines: count }))
}

fn send_page(mut stream: &UnixStream, lines: &str) -> io::Result<()> {
    send(&mut stream, &Reply::Page { bytes: lines.len() as u64 })?;
    stream.write_all(lines.as_bytes())
}

fn take_in(directory: &Embedded, import: Result<Import, ImportError>, records: usize) -> Outcome {
    let import = import.map_err(|error| Refusal::Records { reason: error.to_string() })?;
    if import.len() != records {
        return Err(Refusal::Records { reason: "some of it did not arrive".to_owned() });
    }
    match directory.import(import).map_err(|_| Refusal::Unavailable)? {
        Ok(Imported { new, same, replaced, longer }) => {
            info!(new, same, replaced, longer, "an operator imported records");
            Ok(Reply::Imported { new, same, replaced, longer })
        }
        Err(Conflicts { of: ConflictOf::Keys, lines, count }) => {
            Err(Refusal::Conflicts { lines, count })
        }
        Err(Conflicts { of: ConflictOf::Chains, lines, count }) => {
            Err(Refusal::Contradictions { lines, count })
        }
    }
}

impl Refusal {
    fn into_reply(self) -> Reply {
        Reply::Refused { refusal: self }
    }
}
