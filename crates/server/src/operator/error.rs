//! Why an operator got nothing done, and what to do next.

use std::io;
use std::path::PathBuf;

use super::conversation::{Refusal, Reply};
use crate::data_dir::DataDirError;

/// Why an operator got nothing done. Nothing about ids and keys is in it.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum OperatorError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(
        "the data folder {} is in use, and nobody answers at its control socket: {source}. If a \
         server runs there, its log says why it has none, and it must be stopped for this; if \
         another command has the folder, try again",
        path.display()
    )]
    NoControl { path: PathBuf, source: io::Error },
    #[error("{}. Nothing was imported: see which key is right, or import with --replace", conflicting(lines, *count))]
    Conflicts { lines: Vec<usize>, count: usize },
    #[error("{}. Nothing was imported, also not with --replace: take {} out of the file", contradicting(lines, *count), if *count == 1 { "it" } else { "them" })]
    Contradictions { lines: Vec<usize>, count: usize },
    #[error(
        "a server that runs takes imports of {bytes_max} bytes at most. Nothing was imported: \
         split the file, or stop the server"
    )]
    TooLarge { bytes_max: u64 },
    #[error("the server does not take this import: {reason}. Nothing was imported")]
    Records { reason: String },
    #[error(
        "the server that runs does not understand this command: it is of another version. Restart \
         it, or use the securecall that it runs"
    )]
    NotUnderstood,
    #[error(
        "the directory cannot answer for now, and may or may not have done it; the log says why. \
         The same again is safe"
    )]
    Unavailable,
    #[error("the records cannot be written: {0}")]
    NotWritten(#[source] io::Error),
    #[error(
        "the connection to the directory failed: {0}. Unless this was an export, it may or may not \
         have been done; the same again is safe"
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

/// An answer to another question.
impl From<Reply> for OperatorError {
    fn from(_: Reply) -> Self {
        Self::NotUnderstood
    }
}
