//! The same messages from the client's side: requests are written here, messages of the server are
//! read.
//!
//! A client handles a few messages a second, so these own their strings. Texts that the server
//! only passes on (offers, answers, candidates) are ordinary strings here.
//!
//! ```
//! use securecall_protocol::{ClientId, client::{Outgoing, Received, decode}};
//!
//! let bob = ClientId::try_from("bob")?;
//! let lookup = Outgoing::PkdLookup { client_id: bob }.encode(Some("7"));
//! assert_eq!(lookup, r#"{"type":"PKD_LOOKUP","payload":{"clientId":"bob"},"id":"7"}"#);
//!
//! let answer = r#"{"type":"PKD_RESULT","payload":{"clientId":"bob","publicKey":null},"replyTo":"7"}"#;
//! let Some(Received { reply_to: Some(id), .. }) = decode(answer) else { panic!() };
//! assert_eq!(id, "7");
//! # Ok::<(), securecall_protocol::ClientIdError>(())
//! ```

mod incoming;
mod outgoing;
mod rates;
mod words;

pub use incoming::{IceServer, Incoming, Received, Resumable, UnreadablePart, decode};
pub use outgoing::{Outgoing, PresentedCall};
