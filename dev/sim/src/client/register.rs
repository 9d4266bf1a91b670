//! How clients register, and what they resume with.

use super::{Client, Deed, Gossip, Manner};
use crate::random::Random;
use crate::violation::{Violation, ensure};
use crate::wire::Wire;

/// What a client of dialect 2 has of its registration.
#[derive(Debug, Default)]
pub(super) struct Resumption {
    token: Option<String>,
    last_seq: u64,
    old_tokens: Vec<String>,
    /// It has said that it has what it has not.
    lied: bool,
    /// How the connection speaks.
    in_two: bool,
    registered: bool,
}

impl Resumption {
    pub(super) fn is_in_two(&self) -> bool {
        self.in_two
    }

    /// Everything that a client is sent in one registration comes once and in order, over
    /// however many connections.
    pub(super) fn hear(&mut self, message: &Wire<'_>) -> Result<(), Violation> {
        if message.message_type == "REGISTERED" {
            return self.hear_registered(message);
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

    fn hear_registered(&mut self, message: &Wire<'_>) -> Result<(), Violation> {
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
        (self.last_seq, self.lied) = (0, false);
        Ok(())
    }

    pub(super) fn acknowledge(&self) -> String {
        format!(r#"{{"type":"ACK","payload":{{"seq":{}}}}}"#, self.last_seq)
    }

    /// The client has left: its registration is over.
    pub(super) fn give_up(&mut self) {
        self.old_tokens.extend(self.token.take());
    }

    fn begin(&mut self, in_two: bool) {
        self.in_two = in_two;
        self.registered = false;
    }

    /// The fields to resume with; most of the time the right ones.
    fn fields(&mut self, random: &mut Random) -> String {
        match random.below(20) {
            0 => self.old_tokens.extend(self.token.take()),
            1 => self.token = random.pick(&self.old_tokens).cloned(),
            // It was killed before it had stored what it was sent last.
            2 => self.last_seq = self.last_seq.saturating_sub(random.below(5) as u64),
            3 => {
                self.last_seq += 1 + random.below(3) as u64;
                self.lied = true;
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
    pub(super) fn connect(&mut self, random: &mut Random, gossip: &Gossip<'_>) -> Deed {
        if random.percent(50) {
            return Deed::Nothing;
        }
        let id = match self.manner {
            Manner::Impostor => random.pick(gossip.ids).unwrap_or(&self.id).clone(),
            _ => self.id.clone(),
        };
        let in_two = self.in_two != random.percent(5);
        self.resumption.begin(in_two);
        if !in_two {
            return Deed::Connect(register(&id, ""));
        }
        let resume = self.resumption.fields(random);
        Deed::Connect(register_in_two(&id, &format!("{resume}{}", self.presented(random, gossip))))
    }

    /// Registers its own id, as a client does that has done nothing wrong.
    pub(crate) fn come_back(&mut self) -> String {
        self.to_say.clear();
        self.resumption.begin(self.in_two);
        if !self.in_two {
            return register(&self.id, "");
        }
        let (resume, calls) = (self.resumption.exact_fields(), self.own_calls());
        register_in_two(&self.id, &format!("{resume}{calls}"))
    }

    /// What it has missed it has only itself to blame for.
    pub(crate) fn has_lied(&self) -> bool {
        self.resumption.lied
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

    fn presented(&self, random: &mut Random, gossip: &Gossip<'_>) -> String {
        if self.manner != Manner::Byzantine {
            return self.own_calls();
        }
        let leaked = (0..random.below(4)).filter_map(|_| random.pick(gossip.leaks)).map(|id| {
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
