//! The protocol between an operator and a directory: lines of JSON over a stream.
//!
//! ```text
//! → {"request":"export"}
//! ← {"reply":"page","bytes":65612}      followed by that many bytes of records, one a line
//! ← {"reply":"exported","records":312}  without this the export is incomplete
//!
//! → {"request":"import","records":2,"bytes":87,"replace":false}
//! ← {"reply":"ready"}
//! →                                     that many bytes of records, one a line
//! ← {"reply":"imported","new":1,"same":1,"replaced":0}
//!
//! → {"request":"reset","clientIds":["alice","bob"]}
//! ← {"reply":"reset","resets":["done",{"pending":{"seconds":259200}}]}
//!
//! → {"request":"cancelResets","clientIds":["bob"]}
//! ← {"reply":"cancelled","hadReset":[true]}
//!
//! → {"request":"resets"}                or {"request":"history","clientId":"bob"}
//! ← {"reply":"page","bytes":120}        and so many bytes of lines
//! ← {"reply":"listed","lines":1}
//!
//! ← {"reply":"refused","refusal":{"conflicts":{"lines":[2],"count":1}}}    at any time
//! ```
//!
//! A stream carries one request. An import announces its size, so that an interrupted one is not
//! mistaken for a shorter one.

use std::io::{self, BufRead, Read as _, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::directory::Reset;

/// The bound of a line: more than 10,000 ids to be reset.
pub(super) const LINE_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Request {
    Export,
    Import { records: usize, bytes: u64, replace: bool },
    Reset { client_ids: Vec<Box<str>> },
    CancelResets { client_ids: Vec<Box<str>> },
    Resets,
    History { client_id: Box<str> },
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Reply {
    Page { bytes: u64 },
    Exported { records: u64 },
    Ready,
    Imported { new: usize, same: usize, replaced: usize, longer: usize },
    Reset { resets: Vec<Reset> },
    Cancelled { had_reset: Vec<bool> },
    Listed { lines: u64 },
    Refused { refusal: Refusal },
}

/// The reason why nothing was done. After [`Refusal::Unavailable`] something may have been done.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Refusal {
    /// The other side does not know this message: it has another version.
    NotUnderstood,
    /// Records whose ids have other keys.
    Conflicts { lines: Vec<usize>, count: usize },
    /// Records whose chains are older than the stored ones, or fork them.
    Contradictions { lines: Vec<usize>, count: usize },
    /// A running server accepts imports of this size at most.
    TooLarge { bytes_max: u64 },
    /// Invalid records: the server may have a smaller bound for keys, for example.
    Records { reason: String },
    /// The directory cannot answer now.
    Unavailable,
}

/// Sends a line.
pub(super) fn send(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_string(message)?;
    line.push('\n');
    stream.write_all(line.as_bytes())
}

/// Receives a line. Returns `None` at the end of the stream.
///
/// # Errors
/// The stream fails; `InvalidData` if the line is too long, incomplete or unknown.
pub(super) fn receive<T: DeserializeOwned>(stream: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    stream.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::InvalidData.into());
    }
    serde_json::from_slice(&line).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}
