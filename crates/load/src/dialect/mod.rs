//! Server protocols: the few messages of each that a load generator needs.
//!
//! The generator's own dialect is [`SecureCall`]. The others are those of servers that it is
//! compared with; they have clients and relayed messages, but no calls.

mod matchbox;
mod peerjs;
mod plain;
pub(crate) mod securecall;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::matchbox::Matchbox;
pub use self::peerjs::PeerJs;
pub use self::plain::Plain;
pub use self::securecall::SecureCall;

/// One end of a pair, as its dialect knows it.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// The client's id.
    pub name: String,
    /// The id of the client at the other end; empty if it has none.
    pub peer: String,
    /// The address of messages to the other end, once it is known: a call id, the other's id, or an
    /// id that the server assigned.
    pub address: String,
}

/// The meaning of a text from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The client is registered.
    Registered,
    /// This end of the pair can send messages to the other now.
    Paired,
    /// A message from the other end. Its stamp is the event loop's to read.
    Message,
    /// The server refused something, with this code.
    Error(String),
    /// Nothing that matters here.
    Other,
}

/// The words of one kind of server. Texts to be sent are appended to `out`, each one message.
pub trait Dialect: Send {
    /// Path and query of the request, of which `path` comes from the URL.
    fn request_path(&self, path: &str, end: &End) -> String {
        let _ = end;
        path.to_owned()
    }

    /// The connection is open: registers, unless the request did so.
    fn open(&self, end: &End, out: &mut Vec<String>);

    /// Sets up a pair whose ends are both registered. Returns true if both can send at once; if
    /// not, [`Received::Paired`] follows for each end.
    fn pair(&self, caller: &mut End, callee: &mut End, out: &mut Vec<String>) -> bool;

    /// A text arrived; `end` may learn from it.
    fn receive(&self, end: &mut End, text: &str, out: &mut Vec<String>) -> Received;

    /// The text of a message to the other end, with `body` in it as it is.
    fn message(&self, end: &End, body: &str) -> String;

    /// The keepalive message that the server wants from an idle client beyond pongs, and its
    /// interval.
    fn keepalive(&self) -> Option<(&'static str, Duration)> {
        None
    }
}

/// The dialects by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DialectName {
    /// Our own protocol.
    #[default]
    SecureCall,
    /// PeerJS server.
    PeerJs,
    /// `matchbox_server`.
    Matchbox,
    /// A relay that does nothing but relay.
    Plain,
}

impl DialectName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SecureCall, Self::PeerJs, Self::Matchbox, Self::Plain];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecureCall => "securecall",
            Self::PeerJs => "peerjs",
            Self::Matchbox => "matchbox",
            Self::Plain => "plain",
        }
    }

    pub(crate) fn dialect(self) -> Box<dyn Dialect> {
        match self {
            Self::SecureCall => Box::new(SecureCall),
            Self::PeerJs => Box::new(PeerJs),
            Self::Matchbox => Box::new(Matchbox),
            Self::Plain => Box::new(Plain),
        }
    }
}

/// The value of a string field in a JSON text that has no escapes in it, such as an id.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = text;
    loop {
        let at = memchr::memmem::find(rest.as_bytes(), name.as_bytes())?;
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        if let Some(value) = after.strip_prefix("\":\"").filter(|_| before.ends_with('"')) {
            return value.split_once('"').map(|(value, _)| value);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = r#"{"xid":"no","id2":"no","id":1,"payload":{"id":"yes"}}"#;
        assert_eq!(field(text, "id"), Some("yes"));
        assert_eq!(field(text, "i"), None);
        assert_eq!(field(text, "payload"), None);
        assert_eq!(field(r#"{"id":"cut"#, "id"), None);
    }
}
