//! Registration of clients, and the tokens and numbers that they resume with.

use super::{Behaviour, Client, ClientAction, Knowledge};
use crate::random::Random;
use crate::violation::{Violation, ensure};
use crate::wire::Wire;

/// A client's side of a registration in dialect 2.
#[derive(Debug, Default)]
pub(super) struct Resumption {
    token: Option<String>,
    last_seq: u64,
    old_tokens: Vec<String>,
    /// It has acknowledged more than it received.
    overclaimed: bool,
    /// The dialect of the connection.
    in_two: bool,
    registered: bool,
}

impl Resumption {
    pub(super) fn is_in_two(&self) -> bool {
        self.in_two
    }

    /// Checks that the messages of one registration come once and in order, over any number of
    /// connections.
    pub(super) fn receive(&mut self, message: &Wire<'_>) -> Result<(), Violation> {
        if message.message_type == "REGISTERED" {
            return self.receive_registered(message);
        }
        let Some(seq) = message.seq.filter(|_| self.registered) else {
            ensure!(!(self.in_two && self.registered), "a message without a number");
            return Ok(());
        };
        let last = self.last_seq;
        ensure!(seq == last + 1, "number {seq} arrived after number {last}");
        self.last_seq = seq;
        Ok(())
    }

    fn receive_registered(&mut self, message: &Wire<'_>) -> Result<(), Violation> {
        if !self.in_two || self.registered {
            return Ok(());
        }
        self.registered = true;
        let token = message.text("resumeToken");
        if message.json("resumed") == "true" {
            ensure!(self.token.as_deref() == Some(token), "resumed with another token");
            return Ok(());
        }
        ensure!(self.token.as_deref() != Some(token), "a new beginning with an old token");
        self.old_tokens.extend(self.token.replace(token.to_string()));
        (self.last_seq, self.overclaimed) = (0, false);
        Ok(())
    }

    pub(super) fn acknowledge(&self) -> String {
        format!(r#"{{"type":"ACK","payload":{{"seq":{}}}}}"#, self.last_seq)
    }

    /// Ends the registration, when the client leaves.
    pub(super) fn give_up(&mut self) {
        self.old_tokens.extend(self.token.take());
    }

    fn begin(&mut self, in_two: bool) {
        self.in_two = in_two;
        self.registered = false;
    }

    /// The fields to resume with; at times wrong ones.
    fn fields(&mut self, random: &mut Random) -> String {
        match random.below(20) {
            0 => self.old_tokens.extend(self.token.take()),
            1 => self.token = random.pick(&self.old_tokens).cloned(),
            // It crashed before it stored the last messages.
            2 => self.last_seq = self.last_seq.saturating_sub(random.below(5) as u64),
            3 => {
                self.last_seq += 1 + random.below(3) as u64;
                self.overclaimed = true;
            }
            _ => {}
        }
        self.exact_fields()
    }

    fn exact_fields(&self) -> String {
        let token = self.token.as_ref();
        token.map_or(String::new(), |token| {
            format!(r#","resumeToken":"{token}","lastSeq":{}"#, self.last_seq)
        })
    }
}

impl Client {
    pub(super) fn connect(
        &mut self,
        random: &mut Random,
        knowledge: &Knowledge<'_>,
    ) -> ClientAction {
        if random.percent(50) {
            return ClientAction::Nothing;
        }
        let id = match self.behaviour {
            Behaviour::Impostor => random.pick(knowledge.ids).unwrap_or(&self.id).clone(),
            _ => self.id.clone(),
        };
        let in_two = self.in_two != random.percent(5);
        self.resumption.begin(in_two);
        if !in_two {
            return ClientAction::Connect(register(&id, ""));
        }
        let resume = self.resumption.fields(random);
        ClientAction::Connect(register_in_two(
            &id,
            &format!("{resume}{}", self.presented(random, knowledge)),
        ))
    }

    /// Registers its own id, correctly.
    pub(crate) fn come_back(&mut self) -> String {
        self.queued.clear();
        self.resumption.begin(self.in_two);
        if !self.in_two {
            return register(&self.id, "");
        }
        let (resume, calls) = (self.resumption.exact_fields(), self.own_calls());
        register_in_two(&self.id, &format!("{resume}{calls}"))
    }

    /// Returns true if it acknowledged more than it received, so that it may miss messages.
    pub(crate) fn has_overclaimed(&self) -> bool {
        self.resumption.overclaimed
    }

    pub(crate) fn speaks_dialect_two(&self) -> bool {
        self.resumption.is_in_two()
    }

    pub(super) fn register_again(&self) -> String {
        match self.in_two {
            true => register_in_two(&self.id, &self.resumption.exact_fields()),
            false => register(&self.id, ""),
        }
    }

    fn own_calls(&self) -> String {
        let call =
            |(id, answered): (&str, bool)| format!(r#"{{"callId":"{id}","answered":{answered}}}"#);
        let calls: Vec<String> = self.believed().map(call).collect();
        format!(r#","calls":[{}]"#, calls.join(","))
    }

    fn presented(&self, random: &mut Random, knowledge: &Knowledge<'_>) -> String {
        if self.behaviour != Behaviour::Byzantine {
            return self.own_calls();
        }
        let leaked = (0..random.below(4)).filter_map(|_| random.pick(knowledge.leaks)).map(|id| {
            let id = id.clone();
            format!(r#"{{"callId":"{id}","answered":true}},{{"callId":"{id}x"}}"#)
        });
        let leaked: Vec<String> = leaked.collect();
        format!(r#","calls":[{}]"#, leaked.join(","))
    }
}

pub(super) fn register(id: &str, more: &str) -> String {
    format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{id}"{more}}}}}"#)
}

fn register_in_two(id: &str, more: &str) -> String {
    register(id, &format!(r#","protocol":2{more}"#))
}
