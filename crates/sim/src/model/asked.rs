//! What a client asks, and what it may be answered.

use super::Model;
use super::call::{Call, Over, Side};
use crate::network::LinkId;
use crate::violation::{Violation, ensure};
use crate::wire::Wire;

/// The request that a session is dealing with.
#[derive(Debug)]
pub(super) struct Asking {
    client: String,
    request: String,
    effect: Effect,
    /// An error has been sent, which must be this one if it is an answer to this request.
    pub(super) refused: bool,
}

/// What the request does unless it is refused.
#[derive(Debug, Clone)]
enum Effect {
    /// Nothing: it has to be refused.
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
    },
    End {
        call: String,
    },
    Candidate {
        call: String,
        candidate: String,
    },
}

/// The errors that may answer a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    pub(super) codes: Vec<&'static str>,
    /// Without an error it would be wrong.
    must: bool,
    /// The call that it is about.
    pub(super) call: Option<String>,
    /// It is the first that this server hears of an old call: it has no reason not to find it.
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
    pub(super) fn see_asked(
        &mut self,
        link: LinkId,
        client: &str,
        text: &str,
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
        self.asking = Some(Asking { client: client.to_string(), request, effect, refused: false });
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

    /// A message about a call.
    fn judge(&mut self, link: LinkId, client: &str, message: &Wire<'_>) -> (Allowed, Effect) {
        let id = message.text("callId").to_string();
        let full = self.load(client).1 >= self.limits.per_session_max;
        let side = self.calls.get(&id).and_then(|call| call.side_of(client));
        let (Some(call), Some(side)) = (self.calls.get_mut(&id), side) else {
            return (Allowed::must("CALL_NOT_FOUND"), Effect::None);
        };
        let never_rung = side == Side::Callee && call.rung.is_none() && !call.recovered;
        if call.is_done(side) || never_rung {
            return (Allowed::must("CALL_NOT_FOUND"), Effect::None);
        }
        let mut allowed = call.judge(side, message.message_type);
        let refused_unheard = call.rung.is_none() && call.caller_was_absent;
        if call.recovered || refused_unheard {
            allowed.codes.push("CALL_NOT_FOUND");
        }
        if call.recovered && !call.end(side).presented && full {
            allowed.codes.push("RATE_LIMITED");
        }
        allowed.call = Some(id.clone());
        allowed.fresh = call.recovered && !call.touched;
        call.touched = true;
        let peer = call.client(side.other()).to_string();
        self.note_crowd(&peer);
        self.links.entry(link).or_default().proven.insert(id.clone());
        let effect = match message.message_type {
            "CALL_ACCEPT" => {
                Effect::Accept { call: id, answer: message.json("sdpAnswer").to_string() }
            }
            "CALL_REJECT" => Effect::Reject { call: id },
            "CALL_END" => Effect::End { call: id },
            _ => Effect::Candidate { call: id, candidate: message.json("candidate").to_string() },
        };
        (allowed, effect)
    }

    /// A call has an id now.
    pub(super) fn see_rang(&mut self, id: &str) -> Result<(), Violation> {
        let Some(Asking { client, request, effect: Effect::Ring { target, offer }, .. }) =
            self.asking.take()
        else {
            ensure!(false, "a call began and nobody asked for it");
            return Ok(());
        };
        ensure!(!self.calls.contains_key(id), "a second call {id}");
        let mut call = Call::new(client.clone(), target.clone(), offer.clone(), self.now);
        if !self.attached.contains_key(&target) {
            call.target_was_absent = true;
            call.over = Over::Maybe;
        }
        self.calls.insert(id.to_string(), call);
        self.seen.calls += 1;
        if let Some(allowed) = self.requests.get_mut(&request) {
            allowed.call = Some(id.to_string());
        }
        self.note_load(&target);
        self.note_load(&client);
        self.asking = Some(Asking { client, request, effect: Effect::None, refused: true });
        Ok(())
    }

    /// The session is done with the request.
    pub(super) fn see_answered(&mut self) -> Result<(), Violation> {
        let Some(Asking { client, request, effect, refused }) = self.asking.take() else {
            return Ok(());
        };
        if let Some(allowed) = self.requests.get(&request).filter(|allowed| allowed.must) {
            ensure!(refused, "{client}'s {request} was not refused: {:?}", allowed.codes);
        }
        if refused {
            // It may have shown an old call all the same.
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
            | Effect::Reject { call }
            | Effect::End { call }
            | Effect::Candidate { call, .. } => call.clone(),
            Effect::None | Effect::Ring { .. } => return,
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(side) = call.side_of(client) else { return };
        call.end(side).presented = true;
        call.presented.get_or_insert(self.now);
        if call.recovered && call.over == Over::Yes {
            // It is over at the other end, and this one's session has not heard of it.
            call.over = Over::Maybe;
            call.presented = Some(self.now);
        }
        match effect {
            Effect::Accept { answer, .. } => call.answer = Some(answer),
            Effect::Reject { .. } => {
                call.rejected = true;
                call.over = Over::Yes;
                call.finish(side);
            }
            Effect::End { .. } => {
                call.over = Over::Yes;
                call.finish(side);
            }
            Effect::Candidate { candidate, .. } if !call.is_done(side.other()) => {
                call.end(side.other()).channel.push_back(candidate);
            }
            Effect::Candidate { .. } | Effect::None | Effect::Ring { .. } => {}
        }
        let peer = call.client(side.other()).to_string();
        self.note_waiting(&peer);
    }
}

impl Call {
    /// What a message of one of its own clients may be answered.
    fn judge(&self, side: Side, message_type: &str) -> Allowed {
        let answers = matches!(message_type, "CALL_ACCEPT" | "CALL_REJECT");
        match side {
            Side::Caller if answers && !self.recovered => Allowed::must("INVALID_STATE"),
            Side::Caller if answers => Allowed::must_be_refused_somehow(),
            Side::Callee if answers && self.answer.is_some() => Allowed::must("INVALID_STATE"),
            _ => Allowed::default(),
        }
    }
}

impl Allowed {
    /// A caller cannot answer, whether or not the server still knows the call.
    fn must_be_refused_somehow() -> Self {
        {
            let codes = vec!["INVALID_STATE", "CALL_NOT_FOUND", "RATE_LIMITED"];
            Self { codes, must: true, ..Self::default() }
        }
    }
}
