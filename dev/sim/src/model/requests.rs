//! Requests of clients, and the errors that may answer them.

use securecall_core::{Instant, UnixTime};

use super::Model;
use super::call::{Call, Item, Over, Side};
use super::ownership::Admission;
use super::stream::Stream;
use crate::network::LinkId;
use crate::violation::{Violation, ensure};
use crate::wire::Wire;

/// The request that a session is handling.
#[derive(Debug)]
pub(super) struct PendingRequest {
    client: String,
    request: String,
    born: UnixTime,
    effect: Effect,
    /// An error was sent; only this request can have caused it.
    pub(super) refused: bool,
    /// The call that the request has begun.
    pub(super) began: Option<String>,
}

/// The effect of a request unless it is refused.
#[derive(Debug, Clone)]
enum Effect {
    /// No effect: it must be refused.
    None,
    Ring {
        target: String,
        offer: String,
    },
    Accept {
        call: String,
        answer: String,
    },
    Reject {
        call: String,
        reason: String,
    },
    End {
        call: String,
    },
    /// Relayed to the other end.
    Relay {
        call: String,
        item: Item,
    },
}

/// The errors that may answer a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    pub(super) codes: Vec<&'static str>,
    /// The request must be refused.
    must: bool,
    /// The call that it is about.
    pub(super) call: Option<String>,
    /// It names an old call that this server has not met before, and must find.
    pub(super) fresh: bool,
}

impl Allowed {
    fn must(code: &'static str) -> Self {
        Self { codes: vec![code], must: true, ..Self::default() }
    }

    fn may(codes: &[&'static str]) -> Self {
        Self { codes: codes.to_vec(), ..Self::default() }
    }
}

impl Model {
    pub(super) fn see_requested(
        &mut self,
        link: LinkId,
        client: &str,
        text: &str,
        born: UnixTime,
    ) -> Result<(), Violation> {
        ensure!(self.attached.get(client) == Some(&link), "{client}#{link} is not {client}");
        let Some(message) = Wire::read(text) else { return Ok(()) };
        let (allowed, effect) = match message.message_type {
            "CALL_INITIATE" => self.judge_initiate(client, &message),
            _ => self.judge(link, client, &message),
        };
        let request = message.request().unwrap_or_default().to_string();
        let effect = if allowed.must { Effect::None } else { effect };
        self.requests.insert(request.clone(), allowed);
        let client = client.to_string();
        self.pending =
            Some(PendingRequest { client, request, born, effect, refused: false, began: None });
        Ok(())
    }

    fn judge_initiate(&self, client: &str, message: &Wire<'_>) -> (Allowed, Effect) {
        let target = message.text("targetId").to_string();
        let (least, most) = self.load(client);
        let allowed = if target == client {
            Allowed::must("INVALID_MESSAGE")
        } else if least >= self.limits.per_session_max {
            Allowed::must("RATE_LIMITED")
        } else if most >= self.limits.per_session_max {
            Allowed::may(&["RATE_LIMITED", "TARGET_NOT_FOUND"])
        } else {
            Allowed::may(&["TARGET_NOT_FOUND"])
        };
        (allowed, Effect::Ring { target, offer: message.json("sdpOffer").to_string() })
    }

    /// Determines the allowed errors of a message about a call, and its effect.
    fn judge(&mut self, link: LinkId, client: &str, message: &Wire<'_>) -> (Allowed, Effect) {
        let id = message.text("callId").to_string();
        let tokens = self.tokens(link, client);
        let proven = self.links.get(&link).is_some_and(|known| known.proven.contains(&id));
        let full = self.load(client).1 >= self.limits.per_session_max;
        let side = self.calls.get(&id).and_then(|call| call.side_of(client));
        let (Some(call), Some(side)) = (self.calls.get_mut(&id), side) else {
            return (Allowed::must("CALL_NOT_FOUND"), Effect::None);
        };
        let never_rung = side == Side::Callee && call.rung.is_none() && !call.recovered;
        if call.is_done(side) || never_rung {
            return (Allowed::must("CALL_NOT_FOUND"), Effect::None);
        }
        let admission = call.admits(side, tokens.as_ref());
        if admission == Admission::No && !proven {
            call.end(side).denied_on = Some(link);
            return (Allowed::must("CALL_NOT_FOUND"), Effect::None);
        }
        call.end(side).contested |= admission == Admission::Perhaps;
        call.end(side).answer_unconfirmed_since = None;
        if call.recovered {
            // The model cannot see if this server knows that it was answered.
            let end = call.end(side);
            // A caller of dialect 1 that knows the id was sent the answer.
            end.claimed_answered |= side == Side::Caller && tokens.is_none();
            end.contested |= end.owner.is_none() && tokens.is_some();
        }
        if call.recovered || !call.is_unanswered_at(side) {
            call.bind(side, tokens);
        }
        let mut allowed = call.judge(side, message.message_type);
        let refused_unseen = call.rung.is_none() && call.caller_was_absent;
        if call.recovered || call.end(side).end_lost || refused_unseen {
            allowed.codes.push("CALL_NOT_FOUND");
        }
        let taken_up = call.recovered && !call.end(side).presented;
        let answered = !call.recovered && message.message_type == "CALL_ACCEPT";
        if full && (taken_up || answered) {
            allowed.codes.push("RATE_LIMITED");
        }
        allowed.call = Some(id.clone());
        allowed.fresh = call.recovered && !call.touched;
        call.touched = true;
        if !call.recovered {
            // Even a refused message shows that the client knows the call.
            call.end(side).claim_deadline = None;
        }
        let peer = call.client(side.other()).to_string();
        self.note_crowd(&peer);
        self.links.entry(link).or_default().proven.insert(id.clone());
        let effect = match message.message_type {
            "CALL_ACCEPT" => {
                Effect::Accept { call: id, answer: message.json("sdpAnswer").to_string() }
            }
            "CALL_REJECT" => {
                let busy = message.text("reason") == "busy";
                let reason = if busy { "busy" } else { "declined" };
                Effect::Reject { call: id, reason: reason.to_string() }
            }
            "CALL_END" => Effect::End { call: id },
            "CALL_SIGNAL" => Effect::relay(id, "CALL_SIGNAL", message.json("data")),
            "CALL_RINGING" => Effect::relay(id, "CALL_RINGING", ""),
            _ => Effect::relay(id, "ICE_CANDIDATE", message.json("candidate")),
        };
        (allowed, effect)
    }

    /// Handles the beginning of a call: its caller is sent its id, or its ring leaves, or both.
    pub(super) fn see_call_begin(&mut self, id: &str) -> Result<(), Violation> {
        let Some(pending) = &mut self.pending else {
            ensure!(false, "a call began without a request");
            return Ok(());
        };
        if pending.began.as_deref() == Some(id) {
            return Ok(());
        }
        let Effect::Ring { target, offer } = std::mem::replace(&mut pending.effect, Effect::None)
        else {
            ensure!(false, "a call began without a request");
            return Ok(());
        };
        pending.began = Some(id.to_string());
        let (client, request, born) =
            (pending.client.clone(), pending.request.clone(), pending.born);
        ensure!(!self.calls.contains_key(id), "a second call {id}");
        let ends = (client.clone(), target.clone());
        let mut call = Call::new(ends, offer, self.now, born);
        call.target_was_absent = !self.attached.contains_key(&target);
        self.note_glare(id, &mut call);
        self.calls.insert(id.to_string(), call);
        self.seen.calls += 1;
        if let Some(allowed) = self.requests.get_mut(&request) {
            allowed.call = Some(id.to_string());
        }
        self.note_load(&target);
        self.note_load(&client);
        Ok(())
    }

    /// Handles the end of a request: applies its effect unless it was refused.
    pub(super) fn see_handled(&mut self) -> Result<(), Violation> {
        self.see_end_of_registration();
        let Some(PendingRequest { client, request, effect, refused, .. }) = self.pending.take()
        else {
            return Ok(());
        };
        if let Some(allowed) = self.requests.get(&request).filter(|allowed| allowed.must) {
            ensure!(refused, "{client}'s {request} was not refused: {:?}", allowed.codes);
        }
        if refused {
            // A refused message may still have presented an old call.
            self.note_load(&client);
            return Ok(());
        }
        ensure!(!matches!(effect, Effect::Ring { .. }), "{client}'s {request} led to nothing");
        self.take_effect(&client, effect);
        self.note_load(&client);
        Ok(())
    }

    fn take_effect(&mut self, client: &str, effect: Effect) {
        let id = match &effect {
            Effect::Accept { call, .. }
            | Effect::Reject { call, .. }
            | Effect::End { call }
            | Effect::Relay { call, .. } => call.clone(),
            Effect::None | Effect::Ring { .. } => return,
        };
        let peer_in_two = self.peer_in_two(&id, client);
        let tokens = self.attached.get(client).and_then(|link| self.tokens(*link, client));
        let caller = self.calls.get(&id).map(|call| call.caller.clone()).unwrap_or_default();
        let caller_in_two = self.streams.get(&caller).is_some_and(Stream::is_in_two);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(side) = call.side_of(client) else { return };
        call.show(side, self.now);
        match effect {
            Effect::Accept { answer, .. } => {
                call.answer = Some(answer);
                call.end(side).claimed_answered = true;
                call.bind(side, tokens);
                if !call.recovered && caller_in_two {
                    let text = String::new();
                    let item = Item { what: "CALL_ACCEPTED", text, optional: false };
                    call.end(Side::Caller).channel.push_back(item);
                }
                // From here on the other end must be sent the answer; its own proof does not
                // matter.
                call.presented = Some(self.now);
            }
            Effect::Reject { reason, .. } => {
                call.rejected = Some(reason);
                call.reasons.insert("hangup");
                call.over = Over::Yes;
                call.finish(side);
            }
            Effect::End { .. } => {
                let cancels = side == Side::Caller && !call.recovered && !call.ends[0].answered;
                let hangs_up = !cancels || call.answer.is_some();
                call.reasons.extend(cancels.then_some("cancelled"));
                call.reasons.extend(hangs_up.then_some("hangup"));
                call.over = Over::Yes;
                call.finish(side);
            }
            Effect::Relay { mut item, .. } if !call.is_done(side.other()) => {
                item.optional |= item.what == "CALL_SIGNAL" && !peer_in_two;
                call.end(side.other()).channel.push_back(item);
            }
            Effect::Relay { .. } | Effect::None | Effect::Ring { .. } => {}
        }
        let peer = call.client(side.other()).to_string();
        self.note_waiting(&peer);
    }

    fn peer_in_two(&self, id: &str, client: &str) -> bool {
        let call = self.calls.get(id);
        let peer = call.and_then(|call| Some(call.client(call.side_of(client)?.other())));
        let link = peer.and_then(|peer| self.attached.get(peer));
        link.is_some_and(|link| self.speaks_two(*link))
    }
}

impl Effect {
    fn relay(call: String, what: &'static str, text: &str) -> Self {
        let item = Item { what, text: text.to_string(), optional: what == "CALL_RINGING" };
        Self::Relay { call, item }
    }
}

impl Call {
    /// Notes that the client at this end has presented the call.
    pub(super) fn show(&mut self, side: Side, now: Instant) {
        self.end(side).presented = true;
        self.end(side).claim_deadline = None;
        self.presented.get_or_insert(now);
        if self.recovered && self.over == Over::Yes {
            // It is over at the other end, and this one's session does not know that yet.
            self.over = Over::Maybe;
            self.presented = Some(now);
        }
    }

    /// The errors that may answer a message from a client of this call.
    fn judge(&self, side: Side, message_type: &str) -> Allowed {
        let answers = matches!(message_type, "CALL_ACCEPT" | "CALL_REJECT" | "CALL_RINGING");
        match side {
            _ if message_type == "CALL_SIGNAL" => self.judge_signal(side),
            Side::Caller if answers && !self.recovered => Allowed::must("INVALID_STATE"),
            Side::Caller if answers => Allowed::must_be_refused_somehow(),
            Side::Callee if answers && self.answer.is_some() => Allowed::must("INVALID_STATE"),
            // It may have presented the call as answered.
            Side::Callee if answers && self.recovered && message_type != "CALL_ACCEPT" => {
                Allowed::may(&["INVALID_STATE"])
            }
            _ => Allowed::default(),
        }
    }

    fn judge_signal(&self, side: Side) -> Allowed {
        let unanswered = self.is_ringing() && side == Side::Callee;
        if unanswered || (self.answer.is_none() && !self.recovered) {
            return Allowed::must("INVALID_STATE");
        }
        // The answer may not have arrived, or the other end speaks dialect 1.
        Allowed::may(&["INVALID_STATE"])
    }
}

impl Allowed {
    /// The errors for a caller that answers its own call, which is wrong in any state.
    fn must_be_refused_somehow() -> Self {
        {
            let codes = vec!["INVALID_STATE", "CALL_NOT_FOUND", "RATE_LIMITED"];
            Self { codes, must: true, ..Self::default() }
        }
    }
}
