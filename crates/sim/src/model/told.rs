//! What a client is told, and whether it may be.

use super::Model;
use super::call::{Over, Side};
use crate::network::LinkId;
use crate::violation::{Violation, ensure};
use crate::wire::Wire;

/// The documented messages about calls, and their fields.
const FIELDS: [(&str, &[&str]); 7] = [
    ("REGISTERED", &["clientId"]),
    ("INCOMING_CALL", &["callId", "callerId", "sdpOffer"]),
    ("CALL_ACCEPTED", &["callId", "sdpAnswer"]),
    ("CALL_REJECTED", &["callId"]),
    ("CALL_ENDED", &["callId"]),
    ("ICE_CANDIDATE", &["candidate", "callId"]),
    ("ERROR", &["code", "message"]),
];

/// Errors that a connection answers with, before any session has a say.
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
        let documented = FIELDS.iter().find(|(name, _)| *name == message.message_type);
        if let Some((_, fields)) = documented {
            let exact = message.fields().count() == fields.len()
                && fields.iter().all(|field| !message.json(field).is_empty());
            ensure!(exact, "{client} was sent other fields than documented: {text}");
        }
        match message.message_type {
            "HEARTBEAT_ACK" => Ok(()),
            "ERROR" => self.see_error(client, &message),
            "REGISTERED" => {
                ensure!(message.text("clientId") == client, "{client} is not {text}");
                Ok(())
            }
            _ => {
                let attached = self.attached.get(client);
                ensure!(attached == Some(&link), "{client}#{link} is not {client}: {text}");
                self.see_told(link, client, &message)
            }
        }
    }

    /// A message about a call.
    fn see_told(
        &mut self,
        link: LinkId,
        client: &str,
        message: &Wire<'_>,
    ) -> Result<(), Violation> {
        let id = message.text("callId").to_string();
        let side = self.calls.get(&id).and_then(|call| call.side_of(client));
        let Some(side) = side else {
            ensure!(false, "{client} was told of a call that is not its own: {id}");
            return Ok(());
        };
        let done = self.calls.get(&id).is_some_and(|call| call.is_done(side));
        let what = message.message_type;
        ensure!(!done, "{client} was told {what} of {id}, which is over for it");
        match what {
            "INCOMING_CALL" => self.see_incoming_call(link, &id, side, message)?,
            "CALL_ACCEPTED" => self.see_call_accepted(link, &id, side, message)?,
            "ICE_CANDIDATE" => self.see_candidate(link, &id, side, message)?,
            "CALL_REJECTED" => self.see_call_rejected(&id, side)?,
            "CALL_ENDED" => self.see_call_ended(&id, side)?,
            _ => ensure!(false, "{client} was told {what}"),
        }
        if matches!(what, "CALL_REJECTED" | "CALL_ENDED") {
            let once = self.links.entry(link).or_default().ended.insert(id.clone());
            ensure!(once, "{client}#{link} was told twice that {id} is over");
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
        }
        let known = self.links.entry(link).or_default();
        ensure!(known.rung.insert(id.to_string()), "{id} rang twice on one connection");
        ensure!(known.proven.insert(id.to_string()), "{id} rang after other news of it");
        if let Some(call) = self.calls.get_mut(id) {
            call.rung.get_or_insert(self.now);
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
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        ensure!(side == Side::Caller, "{id} was accepted by its caller");
        let answer = call.answer.as_deref();
        ensure!(answer == Some(message.json("sdpAnswer")), "{id} was accepted with another answer");
        let end = call.end(side);
        ensure!(!end.answered, "{id} was accepted twice");
        end.answered = true;
        end.presented = true;
        self.seen.answered += 1;
        self.links.entry(link).or_default().proven.insert(id.to_string());
        Ok(())
    }

    fn see_candidate(
        &mut self,
        link: LinkId,
        id: &str,
        side: Side,
        message: &Wire<'_>,
    ) -> Result<(), Violation> {
        let proven = self.links.get(&link).is_some_and(|known| known.proven.contains(id));
        ensure!(proven, "#{link} was told of {id} and has not shown that it is its call");
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        let candidate = message.json("candidate");
        let end = call.end(side);
        let mut expected = end.channel.pop_front();
        while end.gaps && expected.as_deref().is_some_and(|expected| expected != candidate) {
            expected = end.channel.pop_front();
        }
        ensure!(
            expected.as_deref() == Some(candidate),
            "{id}: {candidate} arrived, and {expected:?} was next"
        );
        self.seen.candidates += 1;
        Ok(())
    }

    fn see_call_rejected(&mut self, id: &str, side: Side) -> Result<(), Violation> {
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        ensure!(side == Side::Caller, "{id} was rejected by its caller");
        let busy = call.rung.is_none() && call.target_was_busy;
        ensure!(call.rejected || busy, "{id} was rejected by nobody");
        self.seen.busy += usize::from(busy);
        call.over = Over::Yes;
        call.finish(side);
        Ok(())
    }

    fn see_call_ended(&mut self, id: &str, side: Side) -> Result<(), Violation> {
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        ensure!(call.over != Over::No, "{id} was ended for no reason");
        let unheard_of = side == Side::Callee && call.rung.is_none() && !call.recovered;
        ensure!(!unheard_of, "{id} ended before it rang");
        self.seen.ended += 1;
        call.over = Over::Yes;
        call.finish(side);
        Ok(())
    }

    fn see_error(&mut self, client: &str, message: &Wire<'_>) -> Result<(), Violation> {
        let code = message.text("code");
        let asked = message.request().and_then(|request| self.requests.get(request).cloned());
        let (Some(request), Some(allowed)) = (message.request(), asked) else {
            ensure!(CONNECTION_ERRORS.contains(&code), "{client} was told {code} out of the blue");
            return Ok(());
        };
        ensure!(allowed.codes.contains(&code), "{client}'s {request} was answered {code}");
        if let Some(asking) = &mut self.asking {
            asking.refused = true;
        }
        self.requests.remove(request);
        let Some(call) = allowed.call.and_then(|id| self.calls.get_mut(&id)) else {
            return Ok(());
        };
        let Some(side) = call.side_of(client) else { return Ok(()) };
        if code == "INVALID_STATE" && call.recovered {
            call.end(side).perhaps_presented = true;
        }
        if code == "TARGET_NOT_FOUND" {
            ensure!(call.target_was_absent, "{} was there all the time", call.callee);
        }
        if code == "CALL_NOT_FOUND" {
            let excuse = call.crowded || call.overflows || call.over == Over::Yes;
            let lost = allowed.fresh && !excuse;
            ensure!(!lost, "{client}'s {request} did not find a call from before the restart");
            ensure!(call.over != Over::No, "{client}'s {request} was answered {code}");
        }
        if matches!(code, "TARGET_NOT_FOUND" | "CALL_NOT_FOUND") {
            call.over = Over::Yes;
            call.finish(side);
        }
        Ok(())
    }
}
