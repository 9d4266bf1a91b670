//! The clients: honest ones, impostors, and ones that say anything.

use std::collections::BTreeMap;

use crate::network::LinkId;
use crate::random::Random;
use crate::wire::Wire;

/// How a client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Does what the protocol asks for, at any pace.
    Honest,
    /// Registers ids that are not its own.
    Impostor,
    /// Sends what it likes, with every call id that ever leaked.
    Byzantine,
}

/// What a client does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    Nothing,
    /// Opens a connection and registers this id.
    Connect(String),
    Say(String),
    /// Closes with 1000.
    Leave,
    /// Drops the connection without a word.
    Vanish,
}

/// What a client is told of the world when it decides.
pub(crate) struct Gossip<'a> {
    /// Ids that somebody may have registered.
    pub(crate) ids: &'a [String],
    /// Call ids that leaked, and forged ones.
    pub(crate) leaks: &'a [String],
    pub(crate) big_percent: usize,
}

/// Somebody with a device.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) manner: Manner,
    pub(crate) link: Option<LinkId>,
    calls: Vec<Call>,
    /// The call that each of the last requests was about.
    asked: BTreeMap<String, String>,
    requests: u64,
}

#[derive(Debug, Clone)]
struct Call {
    id: String,
    to_answer: bool,
}

/// How many calls a client remembers, and how many requests.
const CALLS_MAX: usize = 8;
const REQUESTS_MAX: usize = 30;

impl Client {
    pub(crate) fn new(id: String, manner: Manner) -> Self {
        Self { id, manner, link: None, calls: Vec::new(), asked: BTreeMap::new(), requests: 0 }
    }

    /// A text has come.
    pub(crate) fn hear(&mut self, text: &str) {
        let Some(message) = Wire::read(text) else { return };
        let call_id = message.text("callId");
        match message.message_type {
            "INCOMING_CALL" => self.remember(call_id, true),
            "CALL_ACCEPTED" => self.remember(call_id, false),
            "CALL_ENDED" | "CALL_REJECTED" => self.forget(call_id),
            "ERROR" if message.text("code") == "CALL_NOT_FOUND" => {
                let asked = message.request().and_then(|request| self.asked.remove(request));
                if let Some(call_id) = asked {
                    self.forget(&call_id);
                }
            }
            _ => {}
        }
    }

    /// What the client does, if it does something now.
    pub(crate) fn act(&mut self, random: &mut Random, gossip: &Gossip<'_>) -> Deed {
        if self.link.is_none() {
            return self.connect(random, gossip);
        }
        match (self.manner, random.below(100)) {
            (_, 0..2) => Deed::Leave,
            (_, 2..4) => Deed::Vanish,
            (Manner::Impostor, 4..15) => Deed::Leave,
            (Manner::Impostor, 15..60) => Deed::Nothing,
            (Manner::Byzantine, 4..60) => Deed::Say(self.nonsense(random, gossip)),
            (_, 4..6) => Deed::Say(r#"{"type":"HEARTBEAT","payload":{}}"#.into()),
            (_, 6..7) => Deed::Say(register(&self.id)),
            _ => self.behave(random, gossip),
        }
    }

    /// Shows all its calls to the server, as a client does that has reconnected.
    pub(crate) fn present_calls(&mut self) -> Vec<String> {
        let calls: Vec<Call> = self.calls.clone();
        let present = |call: &Call| {
            let candidate = self.opaque("again", 0);
            self.ask("ICE_CANDIDATE", &call.id, Some(("candidate", candidate)))
        };
        calls.iter().filter(|call| !call.to_answer).map(present).collect()
    }

    /// Hangs up every call that it knows.
    pub(crate) fn end_calls(&mut self) -> Vec<String> {
        let calls: Vec<Call> = std::mem::take(&mut self.calls);
        calls.iter().map(|call| self.ask("CALL_END", &call.id, None)).collect()
    }

    fn connect(&self, random: &mut Random, gossip: &Gossip<'_>) -> Deed {
        match self.manner {
            _ if random.percent(50) => Deed::Nothing,
            Manner::Impostor => {
                Deed::Connect(random.pick(gossip.ids).unwrap_or(&self.id).to_string())
            }
            _ => Deed::Connect(self.id.clone()),
        }
    }

    /// Something that a client may do.
    fn behave(&mut self, random: &mut Random, gossip: &Gossip<'_>) -> Deed {
        let call = random.pick(&self.calls).cloned();
        Deed::Say(match (call, random.below(100)) {
            (Some(call), 0..60) => {
                let candidate = self.sized_opaque("candidate", random, gossip);
                self.ask("ICE_CANDIDATE", &call.id, Some(("candidate", candidate)))
            }
            (Some(call), 60..80) if call.to_answer => {
                self.remember(&call.id, false);
                let answer = self.sized_opaque("answer", random, gossip);
                self.ask("CALL_ACCEPT", &call.id, Some(("sdpAnswer", answer)))
            }
            (Some(call), 80..87) if call.to_answer => {
                self.forget(&call.id);
                self.ask("CALL_REJECT", &call.id, None)
            }
            (Some(call), 60..70 | 87..90) => {
                self.forget(&call.id);
                self.ask("CALL_END", &call.id, None)
            }
            (None, 30..) | (_, 90..) => {
                let target = random.pick(gossip.ids).map_or("nobody", String::as_str);
                let offer = self.opaque("offer", 0);
                self.initiate(target, &offer)
            }
            _ => return Deed::Nothing,
        })
    }

    /// Something that nobody should say, most of the time.
    fn nonsense(&mut self, random: &mut Random, gossip: &Gossip<'_>) -> String {
        let leaked = random.pick(gossip.leaks).map_or("made-up", String::as_str);
        let call = match random.below(10) {
            0 => leaked.get(1..).unwrap_or_default().to_string(),
            1 => leaked.chars().rev().collect(),
            2 => String::new(),
            _ => leaked.to_string(),
        };
        match random.below(100) {
            0..40 => {
                let candidate = self.sized_opaque("nonsense", random, gossip);
                self.ask("ICE_CANDIDATE", &call, Some(("candidate", candidate)))
            }
            40..55 => {
                let answer = self.opaque("nonsense", 0);
                self.ask("CALL_ACCEPT", &call, Some(("sdpAnswer", answer)))
            }
            55..65 => self.ask("CALL_REJECT", &call, None),
            65..75 => self.ask("CALL_END", &call, None),
            75..80 => {
                let (id, offer) = (self.id.clone(), self.opaque("offer", 0));
                self.initiate(&id, &offer)
            }
            80..84 => register(random.pick(gossip.ids).unwrap_or(&self.id)),
            84..88 => r#"{"type":"__proto__","payload":{}}"#.into(),
            88..92 => "null".into(),
            92..96 => r#"{"type":"CALL_END","payload":[]}"#.into(),
            _ => r#"{"type":"CALL_END","payload":{"callId":7}}"#.into(),
        }
    }

    fn initiate(&mut self, target: &str, offer: &str) -> String {
        let request = self.next_request();
        format!(
            r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"{target}","sdpOffer":{offer}}},"id":"{request}"}}"#
        )
    }

    fn ask(&mut self, what: &str, call_id: &str, opaque: Option<(&str, String)>) -> String {
        let request = self.next_request();
        if self.asked.len() == REQUESTS_MAX {
            self.asked.clear();
        }
        self.asked.insert(request.clone(), call_id.to_string());
        let opaque = opaque.map_or(String::new(), |(key, json)| format!(r#","{key}":{json}"#));
        format!(
            r#"{{"type":"{what}","payload":{{"callId":"{call_id}"{opaque}}},"id":"{request}"}}"#
        )
    }

    fn next_request(&mut self) -> String {
        self.requests += 1;
        format!("{}-{}", self.id, self.requests)
    }

    /// A JSON string like no other, escaped in more ways than one.
    fn opaque(&mut self, what: &str, padding: usize) -> String {
        let request = self.next_request();
        format!(r#""{what} {request} \u0041\/é \ud800{}""#, "x".repeat(padding))
    }

    fn sized_opaque(&mut self, what: &str, random: &mut Random, gossip: &Gossip<'_>) -> String {
        let padding =
            if random.percent(gossip.big_percent) { random.between(300, 2_000) } else { 0 };
        self.opaque(what, padding)
    }

    fn remember(&mut self, call_id: &str, to_answer: bool) {
        self.forget(call_id);
        if self.calls.len() == CALLS_MAX {
            self.calls.remove(0);
        }
        self.calls.push(Call { id: call_id.to_string(), to_answer });
    }

    fn forget(&mut self, call_id: &str) {
        self.calls.retain(|call| call.id != call_id);
    }
}

pub(crate) fn register(id: &str) -> String {
    format!(r#"{{"type":"REGISTER","payload":{{"clientId":"{id}"}}}}"#)
}
