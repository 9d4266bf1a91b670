//! The clients: honest ones, impostors, and ones that say anything.

mod call;
mod nonsense;
mod register;

use std::collections::{BTreeMap, VecDeque};

use self::call::Call;
use self::register::Resumption;
use crate::network::LinkId;
use crate::random::Random;
use crate::violation::Violation;
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
    /// Opens a connection and says this REGISTER.
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
    /// What the server has done to it that it must not.
    pub(crate) complaint: Option<Violation>,
    /// It speaks dialect 2, most of the time.
    in_two: bool,
    resumption: Resumption,
    calls: Vec<Call>,
    /// Calls that it has ended: news of them is late, or its word was lost.
    ended: VecDeque<String>,
    /// What it is going to say before anything else.
    to_say: VecDeque<String>,
    /// The call that each of the last requests was about.
    asked: BTreeMap<String, String>,
    requests: u64,
}

/// How many calls a client remembers, and how many requests.
const CALLS_MAX: usize = 8;
const REQUESTS_MAX: usize = 30;

impl Client {
    pub(crate) fn new(id: String, manner: Manner, in_two: bool) -> Self {
        Self {
            id,
            manner,
            link: None,
            complaint: None,
            in_two,
            resumption: Resumption::default(),
            calls: Vec::new(),
            ended: VecDeque::new(),
            to_say: VecDeque::new(),
            asked: BTreeMap::new(),
            requests: 0,
        }
    }

    /// A text has come.
    pub(crate) fn hear(&mut self, text: &str) {
        let Some(message) = Wire::read(text) else { return };
        if let Err(complaint) = self.resumption.hear(&message) {
            self.complaint.get_or_insert(complaint);
        }
        let call_id = message.text("callId");
        match message.message_type {
            "REGISTERED" => self.repeat_answers(),
            "CALL_INITIATED" | "INCOMING_CALL" | "CALL_ACCEPTED" if self.has_ended(call_id) => {
                let again = self.ask("CALL_END", call_id, None);
                self.to_say.push_back(again);
            }
            "CALL_INITIATED" => self.remember(Call::made(call_id)),
            "INCOMING_CALL" => self.ring(call_id),
            "CALL_ACCEPTED" => self.remember(Call::answered(call_id)),
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
        if let Some(text) = self.to_say.pop_front() {
            return Deed::Say(text);
        }
        match (self.manner, random.below(100)) {
            (_, 0..2) => self.leave(),
            (_, 2..4) => Deed::Vanish,
            (Manner::Impostor, 4..15) => self.leave(),
            (Manner::Impostor, 15..60) => Deed::Nothing,
            (Manner::Byzantine, 4..60) => Deed::Say(self.nonsense(random, gossip)),
            (_, 4..6) => Deed::Say(r#"{"type":"HEARTBEAT","payload":{}}"#.into()),
            (_, 6..7) => Deed::Say(self.register_again()),
            (_, 7..20) if self.resumption.is_in_two() => Deed::Say(self.resumption.acknowledge()),
            _ => self.behave(random, gossip),
        }
    }

    /// Hangs up every call that it knows.
    pub(crate) fn end_calls(&mut self) -> Vec<String> {
        let calls: Vec<Call> = std::mem::take(&mut self.calls);
        calls.iter().map(|call| self.ask("CALL_END", &call.id, None)).collect()
    }

    /// Everything that it has resolved to say.
    pub(crate) fn take_resolved(&mut self) -> Vec<String> {
        self.to_say.drain(..).collect()
    }

    /// It closes normally: whatever it was ringing is over.
    pub(crate) fn leave(&mut self) -> Deed {
        self.calls.retain(|call| call.answered || !call.is_own);
        self.resumption.give_up();
        Deed::Leave
    }

    /// Something that a client may do.
    fn behave(&mut self, random: &mut Random, gossip: &Gossip<'_>) -> Deed {
        let call = random.pick(&self.calls).cloned();
        Deed::Say(match (call, random.below(100)) {
            (Some(call), 0..40) => {
                let candidate = self.sized_opaque("candidate", random, gossip);
                self.ask("ICE_CANDIDATE", &call.id, Some(("candidate", candidate)))
            }
            (Some(call), 40..50) if call.answered && self.resumption.is_in_two() => {
                let data = self.sized_opaque("signal", random, gossip);
                self.ask("CALL_SIGNAL", &call.id, Some(("data", data)))
            }
            (Some(call), 50..60) if call.is_to_answer() && self.resumption.is_in_two() => {
                self.ask("CALL_RINGING", &call.id, None)
            }
            (Some(call), 60..80) if call.is_to_answer() => {
                let answer = self.sized_opaque("answer", random, gossip);
                self.answer(&call.id, answer)
            }
            (Some(call), 80..87) if call.is_to_answer() => {
                self.end(&call.id);
                self.reject(&call.id, random)
            }
            (Some(call), 60..70 | 87..90) => {
                self.end(&call.id);
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

    fn answer(&mut self, call_id: &str, answer: String) -> String {
        let (is_own, text) = (false, Some(answer.clone()));
        self.remember(Call { id: call_id.into(), is_own, answered: true, answer: text });
        self.ask("CALL_ACCEPT", call_id, Some(("sdpAnswer", answer)))
    }

    fn reject(&mut self, call_id: &str, random: &mut Random) -> String {
        let reason = ["\"declined\"", "\"busy\"", "\"in its own words\""];
        let reason = random.pick(&reason).map(|reason| ("reason", (*reason).to_string()));
        self.ask("CALL_REJECT", call_id, reason.filter(|_| self.resumption.is_in_two()))
    }

    fn initiate(&mut self, target: &str, offer: &str) -> String {
        let request = self.next_request();
        format!(
            r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"{target}","sdpOffer":{offer}}},"id":"{request}"}}"#
        )
    }

    fn ask(&mut self, what: &str, call_id: &str, field: Option<(&str, String)>) -> String {
        let request = self.next_request();
        if self.asked.len() == REQUESTS_MAX {
            self.asked.clear();
        }
        self.asked.insert(request.clone(), call_id.to_string());
        let field = field.map_or(String::new(), |(key, json)| format!(r#","{key}":{json}"#));
        format!(r#"{{"type":"{what}","payload":{{"callId":"{call_id}"{field}}},"id":"{request}"}}"#)
    }

    fn next_request(&mut self) -> String {
        self.requests += 1;
        format!("{}-{}", self.id, self.requests)
    }

    /// A JSON string like no other, escaped in more ways than one.
    fn opaque(&mut self, what: &str, padding: usize) -> String {
        let request = self.next_request();
        format!(r#""{what} {request} \u0041\/é \ud83d\ude00{}""#, "x".repeat(padding))
    }

    fn sized_opaque(&mut self, what: &str, random: &mut Random, gossip: &Gossip<'_>) -> String {
        let padding =
            if random.percent(gossip.big_percent) { random.between(300, 2_000) } else { 0 };
        self.opaque(what, padding)
    }
}
