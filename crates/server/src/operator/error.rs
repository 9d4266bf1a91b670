//! The errors of an operator's commands, with what to do next.

use std::io;
use std::path::PathBuf;

use super::protocol::{Refusal, Reply};
use crate::data_dir::DataDirError;

/// The reason why an operator's command failed. It contains no ids and no keys.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum OperatorError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(
        "the data folder {} is in use, and its control socket does not answer: {source}. If a \
         server uses the folder, see its log for the cause, and stop it for this command; if \
         another command uses the folder, try again",
        path.display()
    )]
    NoControl { path: PathBuf, source: io::Error },
    #[error("{}. Nothing was imported: check which keys are right, or import with --replace",
             conflicting(lines, *count))]
    Conflicts { lines: Vec<usize>, count: usize },
    #[error("{}. Nothing was imported, also not with --replace: take {} out of the file", contradicting(lines, *count), if *count == 1 { "it" } else { "them" })]
    Contradictions { lines: Vec<usize>, count: usize },
    #[error(
        "a running server accepts imports of at most {bytes_max} bytes. Nothing was imported: \
         split the file, or stop the server"
    )]
    TooLarge { bytes_max: u64 },
    #[error("the server refuses this import: {reason}. Nothing was imported")]
    Records { reason: String },
    #[error(
        "the running server does not know this command, because it has another version: restart \
         it, or use the same version of securecall"
    )]
    NotUnderstood,
    #[error(
        "the directory cannot answer now, and may or may not have executed the command; see the \
         log. A retry is safe"
    )]
    Unavailable,
    #[error("the records cannot be written: {0}")]
    NotWritten(#[source] io::Error),
    #[error(
        "the connection to the directory failed: {0}. Unless this was an export, it may or may \
         not have been executed; a retry is safe"
    )]
    Io(#[from] io::Error),
}

fn conflicting(lines: &[usize], count: usize) -> String {
    match count {
        1 => format!("the id in {} has another key", places(lines, count)),
        _ => format!("the ids in {} have other keys", places(lines, count)),
    }
}

fn contradicting(lines: &[usize], count: usize) -> String {
    let places = places(lines, count);
    match count {
        1 => format!("the chain in {places} is older than the one that is there, or another one"),
        _ => format!("the chains in {places} are older than those that are there, or other ones"),
    }
}

fn places(lines: &[usize], count: usize) -> String {
    let named: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let named = named.join(", ");
    match (count, count.saturating_sub(lines.len())) {
        (1, _) => format!("line {named}"),
        (_, 0) => format!("lines {named}"),
        (_, more) => format!("lines {named} and {more} more"),
    }
}

impl From<Refusal> for OperatorError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotUnderstood => Self::NotUnderstood,
            Refusal::Conflicts { lines, count } => Self::Conflicts { lines, count },
            Refusal::Contradictions { lines, count } => Self::Contradictions { lines, count },
            Refusal::TooLarge { bytes_max } => Self::TooLarge { bytes_max },
            Refusal::Records { reason } => Self::Records { reason },
            Refusal::Unavailable => Self::Unavailable,
        }
    }
}

/// A reply that belongs to another request.
impl From<Reply> for OperatorError {
    fn from(_: Reply) -> Self {
        Self::NotUnderstood
    }
}
