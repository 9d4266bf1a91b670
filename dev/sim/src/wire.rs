//! Messages as the clients and the model parse them, independently of the server's code.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A message in either direction.
#[derive(Debug, Deserialize)]
pub(crate) struct Wire<'a> {
    #[serde(rename = "type")]
    pub(crate) message_type: &'a str,
    #[serde(borrow)]
    payload: BTreeMap<&'a str, &'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "replyTo")]
    reply_to: Option<&'a RawValue>,
    pub(crate) seq: Option<u64>,
}

/// A call as a REGISTER presents it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Presented {
    #[serde(rename = "callId")]
    pub(crate) call_id: String,
    #[serde(default)]
    pub(crate) answered: bool,
}

impl<'a> Wire<'a> {
    /// Reads a message. Returns `None` if the text is no message.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A field as it stands in the text, quotes and all; empty if it is missing.
    pub(crate) fn json(&self, field: &str) -> &'a str {
        self.payload.get(field).map_or("", |json| json.get())
    }

    /// A field without its quotes.
    pub(crate) fn text(&self, field: &str) -> &'a str {
        self.json(field).trim_matches('"')
    }

    pub(crate) fn number(&self, field: &str) -> u64 {
        self.json(field).parse().unwrap_or(0)
    }

    /// The calls that a REGISTER presents.
    pub(crate) fn presented(&self) -> Vec<Presented> {
        serde_json::from_str(self.json("calls")).unwrap_or_default()
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &'a str> {
        self.payload.keys().copied()
    }

    /// The id of a request, in the request or in its answer.
    pub(crate) fn request(&self) -> Option<&'a str> {
        self.id.or(self.reply_to).map(|json| json.get().trim_matches('"'))
    }
}
