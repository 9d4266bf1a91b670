//! The rules for messages that clients are sent.

use securecall_core::UNANSWERED_PER_CALLER_MAX;

use super::Model;
use super::call::{Call, Item, Over, Side};
use super::ownership::Tokens;
use crate::network::LinkId;
use crate::violation::{Violation, ensure};
use crate::wire::Wire;

/// The documented messages about calls, and their fields.
const FIELDS: [(&str, &[&str]); 8] = [
    ("REGISTERED", &["clientId"]),
    ("INCOMING_CALL", &["callId", "callerId", "sdpOffer"]),
    ("CALL_ACCEPTED", &["callId", "sdpAnswer"]),
    ("CALL_REJECTED", &["callId"]),
    ("CALL_ENDED", &["callId"]),
    ("ICE_CANDIDATE", &["candidate", "callId"]),
    ("ERROR", &["code", "message"]),
    ("HEARTBEAT_ACK", &[]),
];

/// The fields that differ in dialect 2. An ERROR may have `retryAfterMs` besides.
const FIELDS_IN_TWO: [(&str, &[&str]); 6] = [
    (
        "REGISTERED",
        &[
            "clientId",
            "protocol",
            "resumeToken",
            "resumed",
            "heartbeatSeconds",
            "maxMessageBytes",
            "rates",
        ],
    ),
    ("CALL_INITIATED", &["callId", "targetId"]),
    ("CALL_RINGING", &["callId"]),
    ("CALL_REJECTED", &["callId", "reason"]),
    ("CALL_ENDED", &["callId", "reason"]),
    ("CALL_SIGNAL", &["callId", "data"]),
];

/// Errors that a connection answers with, without its session.
const CONNECTION_ERRORS: [&str; 5] =
    ["INVALID_MESSAGE", "NOT_REGISTERED", "RATE_LIMITED", "INVALID_STATE", "UNAUTHORIZED"];

impl Model {
    pub(super) fn see_sent(
        &mut self,
        link: LinkId,
        client: &str,
        text: &str,
    ) -> Result<(), Violation> {
        let Some(message) = Wire::read(text) else {
            ensure!(false, "{client} was sent what is no message: {text}");
            return Ok(());
        };
        self.check_fields(link, client, text, &message)?;
        if message.message_type == "REGISTERED" {
            return self.see_registered(link, client, &message);
        }
        if !self.see_numbered(link, client, text, message.seq)? {
            return Ok(());
        }
        match message.message_type {
            "HEARTBEAT_ACK" => Ok(()),
            "ERROR" => self.see_error(client, &message),
            _ => {
                let attached = self.attached.get(client);
                ensure!(attached == Some(&link), "{client}#{link} is not {client}: {text}");
                self.see_call_message(link, client, &message)
            }
        }
    }

    /// Checks that the message and its fields belong to the dialect.
    fn check_fields(
        &self,
        link: LinkId,
        client: &str,
        text: &str,
        message: &Wire<'_>,
    ) -> Result<(), Violation> {
        let in_two = self.speaks_two(link);
        let named = |(name, _): &&(&str, &[&str])| *name == message.message_type;
        let in_one = FIELDS.iter().find(named);
        let fields = FIELDS_IN_TWO.iter().find(|_| in_two).and(FIELDS_IN_TWO.iter().find(named));
        let Some((_, fields)) = fields.or(in_one) else {
            ensure!(false, "{client} was sent an undocumented type: {text}");
            return Ok(());
        };
        let more = usize::from(in_two && !message.json("retryAfterMs").is_empty());
        let exact = message.fields().count() == fields.len() + more
            && fields.iter().all(|field| !message.json(field).is_empty());
        ensure!(exact, "{client} was sent other fields than documented: {text}");
        Ok(())
    }

    /// Checks a message about a call.
    fn see_call_message(
        &mut self,
        link: LinkId,
        client: &str,
        message: &Wire<'_>,
    ) -> Result<(), Violation> {
        let id = message.text("callId").to_string();
        if message.message_type == "CALL_INITIATED" && self.registering.is_none() {
            self.see_call_begin(&id)?;
        }
        let side = self.calls.get(&id).and_then(|call| call.side_of(client));
        if self.see_refused_presentation(link, &id, side, message)? {
            return Ok(());
        }
        let Some(side) = side else {
            ensure!(false, "{client} was sent news of a call that is not its own: {id}");
            return Ok(());
        };
        let call = self.calls.get(&id);
        let done = call.is_some_and(|call| call.is_done(side));
        let what = message.message_type;
        let denied = call.is_some_and(|call| call.ends[side as usize].denied_on == Some(link));
        ensure!(!denied, "{client} was sent {what} of {id}, which is not its call any more");
        ensure!(!done, "{client} was sent {what} of {id}, which is over for it");
        match what {
            "INCOMING_CALL" => self.see_incoming_call(link, &id, side, message)?,
            "CALL_ACCEPTED" => self.see_call_accepted(link, &id, side, message)?,
            "CALL_INITIATED" => self.see_call_initiated(link, &id, side, message)?,
            "CALL_RINGING" => self.see_relayed(link, &id, side, "CALL_RINGING", "")?,
            "CALL_SIGNAL" => {
                self.see_relayed(link, &id, side, "CALL_SIGNAL", message.json("data"))?;
            }
            "ICE_CANDIDATE" => {
                self.see_relayed(link, &id, side, "ICE_CANDIDATE", message.json("candidate"))?;
            }
            "CALL_REJECTED" => {
                self.check_attribution(link, &id, side)?;
                self.see_call_rejected(&id, side, message.text("reason"))?;
            }
            "CALL_ENDED" => {
                self.check_attribution(link, &id, side)?;
                self.see_call_ended(&id, side, message.text("reason"))?;
            }
            _ => ensure!(false, "{client} was sent {what}"),
        }
        if matches!(what, "CALL_REJECTED" | "CALL_ENDED") {
            let once = self.links.entry(link).or_default().ended.insert(id.clone());
            ensure!(once, "{client}#{link} was sent the end of {id} twice");
        }
        self.note_load(client);
        Ok(())
    }

    fn see_incoming_call(
        &mut self,
        link: LinkId,
        id: &str,
        side: Side,
        message: &Wire<'_>,
    ) -> Result<(), Violation> {
        let Some(call) = self.calls.get(id) else { return Ok(()) };
        ensure!(side == Side::Callee, "{id} rang at its caller");
        ensure!(call.is_ringing(), "{id} rang, which is answered or was forgotten");
        ensure!(message.text("callerId") == call.caller, "{id} rang in a wrong name");
        ensure!(message.json("sdpOffer") == call.offer, "{id} rang with another offer");
        if call.rung.is_none() {
            let (busy_with, _) = self.load(&call.callee);
            let max = self.limits.per_session_max;
            ensure!(busy_with < max, "{id} rang at a client that is in {busy_with} calls");
            let (ringing, _) = self.ringing_at(&call.callee, |_| true);
            let max = self.limits.unanswered_max;
            ensure!(ringing < max, "{id} rang at a client where {ringing} calls ring");
            let (ringing, _) = self.ringing_at(&call.callee, |caller| caller == call.caller);
            let max = UNANSWERED_PER_CALLER_MAX;
            ensure!(ringing < max, "{id} rang at a client where {ringing} of its caller ring");
        }
        let known = self.links.entry(link).or_default();
        ensure!(known.rung.insert(id.to_string()), "{id} rang twice on one connection");
        // A registration presents a call before that rings again.
        let first = known.proven.insert(id.to_string()) || self.registering == Some(link);
        ensure!(first, "{id} rang after other news of it");
        if let Some(call) = self.calls.get_mut(id) {
            call.rung.get_or_insert(self.now);
            call.delivered = Some(self.now);
        }
        Ok(())
    }

    fn see_call_accepted(
        &mut self,
        link: LinkId,
        id: &str,
        side: Side,
        message: &Wire<'_>,
    ) -> Result<(), Violation> {
        let tokens = self.attached_tokens(link);
        let in_two = tokens.is_some();
        let registration = self.links.get(&link).map(|known| &known.registration);
        let unknown =
            self.registering == Some(link) && !registration.is_some_and(|it| it.presents(id));
        self.check_attribution(link, id, side)?;
        let (now, waits) = (self.now, self.may_lack_room(id));
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        ensure!(side == Side::Caller, "{id} was accepted by its caller");
        let answer = call.answer.as_deref();
        ensure!(answer == Some(message.json("sdpAnswer")), "{id} was accepted with another answer");
        let end = call.end(side);
        ensure!(!end.answered, "{id} was accepted twice");
        end.answered = true;
        end.presented = true;
        end.claim_deadline = None;
        end.answer_unconfirmed_since = (!in_two).then_some(now);
        end.perhaps_dropped = waits;
        let marker = |item: &Item| item.what == "CALL_ACCEPTED";
        if in_two && !unknown {
            let (gaps, has_marker) = (end.gaps, end.channel.iter().any(marker));
            while has_marker
                && end.channel.pop_front().is_some_and(|item| {
                    let early = !marker(&item);
                    early && (gaps || item.optional)
                })
            {}
            let late = end.channel.iter().any(marker);
            ensure!(!late, "{id}: CALL_ACCEPTED overtakes what was sent before it");
        } else {
            end.channel.retain(|item| !marker(item));
        }
        call.bind(side, tokens);
        self.seen.answered += 1;
        self.links.entry(link).or_default().proven.insert(id.to_string());
        Ok(())
    }

    fn see_call_initiated(
        &mut self,
        link: LinkId,
        id: &str,
        side: Side,
        message: &Wire<'_>,
    ) -> Result<(), Violation> {
        let Some(call) = self.calls.get(id) else { return Ok(()) };
        ensure!(side == Side::Caller, "{id} was initiated by its callee");
        ensure!(message.text("targetId") == call.callee, "{id} is initiated to somebody else");
        ensure!(!call.recovered, "{id} is initiated, which the server has forgotten");
        let known = self.links.entry(link).or_default();
        let first = known.proven.insert(id.to_string()) || self.registering == Some(link);
        ensure!(first, "{id} is initiated after other news of it");
        Ok(())
    }

    /// Checks a message that was relayed from the other end.
    fn see_relayed(
        &mut self,
        link: LinkId,
        id: &str,
        side: Side,
        what: &str,
        text: &str,
    ) -> Result<(), Violation> {
        let proven = self.links.get(&link).is_some_and(|known| known.proven.contains(id));
        ensure!(proven, "#{link} was sent news of {id} and has not shown that it is its call");
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        let end = call.end(side);
        let right = |item: &Item| item.what == what && item.text == text;
        let mut expected = end.channel.pop_front();
        while expected.as_ref().is_some_and(|item| !right(item) && (end.gaps || item.optional)) {
            expected = end.channel.pop_front();
        }
        let arrived = expected.as_ref().is_some_and(right);
        ensure!(arrived, "{id}: {what} {text} arrived, and {expected:?} was next");
        self.seen.candidates += 1;
        Ok(())
    }

    fn attached_tokens(&self, link: LinkId) -> Option<Tokens> {
        let (client, _) = self.attached.iter().find(|(_, attached)| **attached == link)?;
        self.tokens(link, client)
    }

    /// Returns true if there may be no room to keep the answer of a call for its caller.
    fn may_lack_room(&mut self, id: &str) -> bool {
        let Some(call) = self.calls.get(id) else { return false };
        let (caller, answer) = (call.caller.clone(), call.answer.as_ref().map_or(0, String::len));
        let (_, bytes) = self.update_room(&caller);
        bytes + answer > self.limits.waiting_bytes_max
    }

    fn see_call_rejected(&mut self, id: &str, side: Side, reason: &str) -> Result<(), Violation> {
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        ensure!(side == Side::Caller, "{id} was rejected by its caller");
        let busy = call.rung.is_none() && call.target_was_busy;
        ensure!(call.rejected.is_some() || busy, "{id} was rejected by nobody");
        let said = call.rejected.as_deref() == Some(reason) || (busy && reason == "busy");
        ensure!(reason.is_empty() || said, "{id} was rejected for no such reason: {reason}");
        self.seen.busy += usize::from(busy);
        call.over = Over::Yes;
        call.finish(side);
        Ok(())
    }

    fn see_call_ended(&mut self, id: &str, side: Side, reason: &str) -> Result<(), Violation> {
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        // Another message about the call may have found out first that it cannot ring.
        let failed = call.rung.is_none() && (call.target_was_absent || call.target_was_busy);
        ensure!(call.over != Over::No || failed, "{id} was ended for no reason");
        let unknown_here = side == Side::Callee && call.rung.is_none() && !call.recovered;
        ensure!(!unknown_here, "{id} ended before it rang");
        let right = match reason {
            "superseded" => call.recovered || call.reasons.contains(reason),
            "" | "unreachable" => true,
            other => call.reasons.contains(other),
        };
        ensure!(right, "{id} ended for no such reason: {reason}");
        // A request for an old call may find it gone before its reason is known.
        let late = (self.registering.is_some() || call.recovered) && reason == "unreachable";
        // A call may lose at one end in the moment in which it rings out at the other.
        let both = [("timeout", "glare"), ("glare", "timeout")];
        let at_once = both.iter().any(|(one, other)| reason == *one && call.has_ended_for(other));
        if !reason.is_empty() && !late && !at_once && !call.is_disputed() {
            let first = call.end_reason.get_or_insert(reason.to_string());
            ensure!(first == reason, "{id} ended for two reasons: {first} and {reason}");
        }
        self.seen.glare += usize::from(reason == "glare");
        self.seen.ended += 1;
        call.over = Over::Yes;
        call.finish(side);
        Ok(())
    }

    fn see_error(&mut self, client: &str, message: &Wire<'_>) -> Result<(), Violation> {
        let code = message.text("code");
        let in_two = self.attached.get(client).is_some_and(|link| self.speaks_two(*link));
        let asked = message.request().and_then(|request| self.requests.get(request).cloned());
        let (Some(request), Some(allowed)) = (message.request(), asked) else {
            ensure!(CONNECTION_ERRORS.contains(&code), "{client} was sent {code} out of the blue");
            return Ok(());
        };
        ensure!(allowed.codes.contains(&code), "{client}'s {request} was answered {code}");
        if let Some(pending) = &mut self.pending {
            pending.refused = true;
        }
        self.requests.remove(request);
        let Some(call) = allowed.call.and_then(|id| self.calls.get_mut(&id)) else {
            return Ok(());
        };
        let Some(side) = call.side_of(client) else { return Ok(()) };
        if code == "INVALID_STATE" && call.recovered {
            call.end(side).perhaps_presented = true;
            self.note_load(client);
            return Ok(());
        }
        if code == "TARGET_NOT_FOUND" {
            ensure!(call.target_was_absent, "{} was there all the time", call.callee);
            call.failed = true;
        }
        if code == "CALL_NOT_FOUND" && call.ends[side as usize].contested {
            // Another registration may own it.
            call.end(side).denied_on = self.attached.get(client).copied();
            return Ok(());
        }
        if code == "CALL_NOT_FOUND" {
            let excuse = call.crowded || call.overflows || call.over == Over::Yes;
            let lost = allowed.fresh && !excuse;
            ensure!(!lost, "{client}'s {request} did not find a call from before the restart");
            ensure!(call.over != Over::No, "{client}'s {request} was answered {code}");
        }
        if matches!(code, "TARGET_NOT_FOUND" | "CALL_NOT_FOUND") {
            call.over = Over::Yes;
            // In dialect 2 an initiated call also gets CALL_ENDED.
            if !(in_two && code == "TARGET_NOT_FOUND") {
                call.finish(side);
            }
        }
        Ok(())
    }

    /// Notes that others claim more old calls of a client than a session accepts.
    pub(super) fn note_crowd(&mut self, client: &str) {
        if self.crowd(client) > self.limits.per_session_max {
            let said = self.calls.values_mut().filter(|call| call.is_claimed_about(client));
            said.for_each(|call| call.crowded = true);
        }
    }

    /// The number of old calls that a client is in by the claims of others alone.
    pub(super) fn crowd(&self, client: &str) -> usize {
        self.calls.values().filter(|call| call.is_claimed_about(client)).count()
    }
}

impl Call {
    fn is_claimed_about(&self, client: &str) -> bool {
        let end = self.side_of(client).map(|side| &self.ends[side as usize]);
        self.recovered && self.touched && end.is_some_and(|end| !end.presented)
    }
}
