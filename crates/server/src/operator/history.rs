//! Chains and resets as an operator reads them. They show no keys.

use std::io;

use securecall_identity::notation::base64url;
use securecall_identity::{Fingerprint, Kind, Outline};
use serde::{Deserialize, Serialize};

use crate::directory::PendingReset;

/// The chain of an id, and its pending reset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The links of all epochs, in their order. None: the id has no chain.
    pub links: Vec<LinkLine>,
    /// The pending reset; `None` if there is none.
    pub reset: Option<ResetLine>,
}

/// A line of a history.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    Link(LinkLine),
    Reset(ResetLine),
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkLine {
    /// Counts the resets.
    pub epoch: u32,
    /// Counts the links of the epoch.
    pub sequence: u8,
    /// The name of the kind, as in docs/identity.md.
    pub kind: Box<str>,
    /// When its maker says that it was made, in seconds since 1970.
    pub time: u64,
    /// The link hash, in base64url.
    pub hash: Box<str>,
    /// The fingerprint that holds from this link on; `None` if it is that of the link before.
    pub fingerprint: Option<Box<str>>,
}

/// A pending reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetLine {
    /// The id.
    pub client_id: Box<str>,
    /// How much time is to be counted until it is carried out.
    pub left_seconds: u64,
    /// When it was asked for, in seconds since 1970.
    pub asked_at: u64,
}

impl Line {
    pub(super) fn of_link(link: &Outline) -> Self {
        let hash = link.position.hash;
        let begins = link.kind == Kind::Inception;
        let fingerprint = begins.then(|| Fingerprint::from_digest(hash).to_string().into());
        Self::Link(LinkLine {
            epoch: link.position.epoch,
            sequence: link.position.sequence,
            kind: link.kind.name().into(),
            time: link.time,
            hash: base64url(&hash).into(),
            fingerprint,
        })
    }
}

impl From<&PendingReset> for ResetLine {
    fn from(PendingReset { client_id, left_seconds, asked_at }: &PendingReset) -> Self {
        let client_id = client_id.clone();
        Self { client_id, left_seconds: *left_seconds, asked_at: *asked_at }
    }
}

impl History {
    /// Takes the lines of a history.
    pub(super) fn parse(lines: &[u8]) -> io::Result<Self> {
        let mut history = Self::default();
        for line in parse_lines(lines) {
            match line? {
                Line::Link(link) => history.links.push(link),
                Line::Reset(reset) => history.reset = Some(reset),
            }
        }
        Ok(history)
    }
}

/// Takes lines apart.
pub(super) fn parse_lines<'a, T: Deserialize<'a>>(
    lines: &'a [u8],
) -> impl Iterator<Item = io::Result<T>> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(|_| io::ErrorKind::InvalidData.into()))
}

/// Puts lines together.
pub(super) fn lines_of<T: Serialize>(lines: impl IntoIterator<Item = T>) -> io::Result<String> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(text)
}
