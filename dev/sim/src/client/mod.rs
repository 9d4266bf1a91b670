//! The clients: honest ones, impostors, and byzantine ones.

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

/// The behaviour of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Follows the protocol, at any pace.
    Honest,
    /// Registers ids that are not its own.
    Impostor,
    /// Sends anything, with every call id that leaked.
    Byzantine,
}

/// The next action of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientAction {
    Nothing,
    /// Opens a connection and sends this REGISTER.
    Connect(String),
    Send(String),
    /// Closes with 1000.
    Leave,
    /// Drops the connection without closing it.
    Vanish,
}

/// A client's knowledge of the world, from which it chooses an action.
pub(crate) struct Knowledge<'a> {
    /// Ids that may be registered.
    pub(crate) ids: &'a [String],
    /// Call ids that leaked, and forged ones.
    pub(crate) leaks: &'a [String],
    pub(crate) big_percent: usize,
}

/// A client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) behaviour: Behaviour,
    pub(crate) link: Option<LinkId>,
    /// A rule that the server broke towards this client.
    pub(crate) violation: Option<Violation>,
    /// It speaks dialect 2, most of the time.
    in_two: bool,
    resumption: Resumption,
    calls: Vec<Call>,
    /// Calls that it has ended: messages about them are late, or its CALL_END was lost.
    ended: VecDeque<String>,
    /// Messages that it sends before any other.
    queued: VecDeque<String>,
    /// The call that each of the last requests was about.
    request_calls: BTreeMap<String, String>,
    requests: u64,
}

/// The number of calls, and of requests, that a client remembers.
const CALLS_MAX: usize = 8;
const REQUESTS_MAX: usize = 30;

impl Client {
    pub(crate) fn new(id: String, behaviour: Behaviour, in_two: bool) -> Self {
        Self {
            id,
            behaviour,
            link: None,
            violation: None,
            in_two,
            resumption: Resumption::default(),
            calls: Vec::new(),
            ended: VecDeque::new(),
            queued: VecDeque::new(),
            request_calls: BTreeMap::new(),
            requests: 0,
        }
    }

    /// Handles a text.
    pub(crate) fn receive(&mut self, text: &str) {
        let Some(message) = Wire::read(text) else { return };
        if let Err(violation) = self.resumption.receive(&message) {
            self.violation.get_or_insert(violation);
        }
        let call_id = message.text("callId");
        match message.message_type {
            "REGISTERED" => self.repeat_answers(),
            "CALL_INITIATED" | "INCOMING_CALL" | "CALL_ACCEPTED" if self.has_ended(call_id) => {
                let again = self.ask("CALL_END", call_id, None);
                self.queued.push_back(again);
            }
            "CALL_INITIATED" => self.remember(Call::made(call_id)),
            "INCOMING_CALL" => self.ring(call_id),
            "CALL_ACCEPTED" => self.remember(Call::answered(call_id)),
            "CALL_ENDED" | "CALL_REJECTED" => self.forget(call_id),
            "ERROR" if message.text("code") == "CALL_NOT_FOUND" => {
                let asked =
                    message.request().and_then(|request| self.request_calls.remove(request));
                if let Some(call_id) = asked {
                    self.forget(&call_id);
                }
            }
            _ => {}
        }
    }

    /// Chooses the client's next action.
    pub(crate) fn act(&mut self, random: &mut Random, knowledge: &Knowledge<'_>) -> ClientAction {
        if self.link.is_none() {
            return self.connect(random, knowledge);
        }
        if let Some(text) = self.queued.pop_front() {
            return ClientAction::Send(text);
        }
        match (self.behaviour, random.below(100)) {
            (_, 0..2) => self.leave(),
            (_, 2..4) => ClientAction::Vanish,
            (Behaviour::Impostor, 4..15) => self.leave(),
            (Behaviour::Impostor, 15..60) => ClientAction::Nothing,
            (Behaviour::Byzantine, 4..60) => ClientAction::Send(self.nonsense(random, knowledge)),
            (_, 4..6) => ClientAction::Send(r#"{"type":"HEARTBEAT","payload":{}}"#.into()),
            (_, 6..7) => ClientAction::Send(self.register_again()),
            (_, 7..20) if self.resumption.is_in_two() => {
                ClientAction::Send(self.resumption.acknowledge())
            }
            _ => self.behave(random, knowledge),
        }
    }

    /// Hangs up every call that it knows.
    pub(crate) fn end_calls(&mut self) -> Vec<String> {
        let calls: Vec<Call> = std::mem::take(&mut self.calls);
        calls.iter().map(|call| self.ask("CALL_END", &call.id, None)).collect()
    }

    /// Takes the messages that it would send next.
    pub(crate) fn take_queued(&mut self) -> Vec<String> {
        self.queued.drain(..).collect()
    }

    /// Leaves: calls that it was ringing are over.
    pub(crate) fn leave(&mut self) -> ClientAction {
        self.calls.retain(|call| call.answered || !call.is_own);
        self.resumption.give_up();
        ClientAction::Leave
    }

    /// A valid action.
    fn behave(&mut self, random: &mut Random, knowledge: &Knowledge<'_>) -> ClientAction {
        let call = random.pick(&self.calls).cloned();
        ClientAction::Send(match (call, random.below(100)) {
            (Some(call), 0..40) => {
                let candidate = self.sized_opaque("candidate", random, knowledge);
                self.ask("ICE_CANDIDATE", &call.id, Some(("candidate", candidate)))
            }
            (Some(call), 40..50) if call.answered && self.resumption.is_in_two() => {
                let data = self.sized_opaque("signal", random, knowledge);
                self.ask("CALL_SIGNAL", &call.id, Some(("data", data)))
            }
            (Some(call), 50..60) if call.is_to_answer() && self.resumption.is_in_two() => {
                self.ask("CALL_RINGING", &call.id, None)
            }
            (Some(call), 60..80) if call.is_to_answer() => {
                let answer = self.sized_opaque("answer", random, knowledge);
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
                let target = random.pick(knowledge.ids).map_or("nobody", String::as_str);
                let offer = self.opaque("offer", 0);
                self.initiate(target, &offer)
            }
            _ => return ClientAction::Nothing,
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
        if self.request_calls.len() == REQUESTS_MAX {
            self.request_calls.clear();
        }
        self.request_calls.insert(request.clone(), call_id.to_string());
        let field = field.map_or(String::new(), |(key, json)| format!(r#","{key}":{json}"#));
        format!(r#"{{"type":"{what}","payload":{{"callId":"{call_id}"{field}}},"id":"{request}"}}"#)
    }

    fn next_request(&mut self) -> String {
        self.requests += 1;
        format!("{}-{}", self.id, self.requests)
    }

    /// A unique JSON string, escaped in more ways than one.
    fn opaque(&mut self, what: &str, padding: usize) -> String {
        let request = self.next_request();
        format!(r#""{what} {request} \u0041\/é \ud83d\ude00{}""#, "x".repeat(padding))
    }

    fn sized_opaque(
        &mut self,
        what: &str,
        random: &mut Random,
        knowledge: &Knowledge<'_>,
    ) -> String {
        let padding =
            if random.percent(knowledge.big_percent) { random.between(300, 2_000) } else { 0 };
        self.opaque(what, padding)
    }
}
