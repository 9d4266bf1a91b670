//! The dialect of `matchbox_server`.

use super::{Dialect, End, Received, field};

/// The server assigns ids and pairs clients that ask for the same room. Only the earlier of the two
/// is sent the other's id; its greeting gives the later one its own.
#[derive(Clone, Copy, Debug)]
pub struct Matchbox;

const GREETING: &str = "hello";
const ANSWER: &str = "hello-back";

impl Dialect for Matchbox {
    /// A room for each pair, whichever end comes first. Who has no peer is alone in a room.
    fn request_path(&self, path: &str, end: &End) -> String {
        let room = end.name.as_str().max(end.peer.as_str());
        format!("{}/{room}?next=2", path.trim_end_matches('/'))
    }

    fn open(&self, _: &End, _: &mut Vec<String>) {}

    fn pair(&self, _: &mut End, _: &mut End, _: &mut Vec<String>) -> bool {
        false
    }

    fn receive(&self, end: &mut End, text: &str, out: &mut Vec<String>) -> Received {
        if let Some(sender) = field(text, "sender") {
            return self.receive_signal(end, sender, text, out);
        }
        if let Some(peer) = field(text, "NewPeer") {
            peer.clone_into(&mut end.address);
            out.push(self.message(end, GREETING));
            return Received::Other;
        }
        match field(text, "IdAssigned") {
            Some(_) => Received::Registered,
            None => Received::Other,
        }
    }

    fn message(&self, end: &End, body: &str) -> String {
        format!(r#"{{"Signal":{{"receiver":"{}","data":"{body}"}}}}"#, end.address)
    }
}

impl Matchbox {
    fn receive_signal(
        self,
        end: &mut End,
        sender: &str,
        text: &str,
        out: &mut Vec<String>,
    ) -> Received {
        match field(text, "data") {
            Some(GREETING) => {
                sender.clone_into(&mut end.address);
                out.push(self.message(end, ANSWER));
                Received::Paired
            }
            Some(ANSWER) => Received::Paired,
            _ => Received::Message,
        }
    }
}
