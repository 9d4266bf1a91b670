//! Registrations: resumed ones, new ones, and the calls that they present.

use securecall_core::Departure;

use super::call::{Over, Side};
use super::ownership::Admission;
use super::stream::Stream;
use super::{Link, Model};
use crate::network::LinkId;
use crate::violation::{Violation, ensure};
use crate::wire::{Presented, Wire};

/// A REGISTER, as far as it concerns calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Registration {
    in_two: bool,
    token: String,
    last_seq: u64,
    calls: Vec<Presented>,
    /// Presented calls that this server has not met before, and has no reason to refuse.
    fresh: Vec<String>,
}

impl Registration {
    fn read(text: &str) -> Option<Self> {
        let message = Wire::read(text)?;
        Some(Self {
            in_two: message.json("protocol") == "2",
            token: message.text("resumeToken").to_string(),
            last_seq: message.number("lastSeq"),
            calls: message.presented(),
            fresh: Vec::new(),
        })
    }

    pub(super) fn presents(&self, id: &str) -> bool {
        self.calls.iter().any(|call| call.call_id == id)
    }
}

impl Model {
    pub(super) fn speaks_two(&self, link: LinkId) -> bool {
        self.links.get(&link).is_some_and(|known| known.registration.in_two)
    }

    pub(super) fn see_attached(&mut self, link: LinkId, client: &str, text: &str) {
        if self.attached.insert(client.to_string(), link).is_some() {
            self.see_connection_end(client, Departure::Lost);
        }
        self.away_since.remove(client);
        let registration = Registration::read(text).unwrap_or_default();
        self.links.insert(link, Link { registration, ..Link::default() });
        self.registering = Some(link);
    }

    pub(super) fn see_registered(
        &mut self,
        link: LinkId,
        client: &str,
        message: &Wire<'_>,
    ) -> Result<(), Violation> {
        ensure!(message.text("clientId") == client, "{client} is not {}", message.text("clientId"));
        ensure!(message.seq.is_none(), "REGISTERED has a number");
        let known = self.links.entry(link).or_default();
        let again = std::mem::replace(&mut known.registered, true);
        let registration = known.registration.clone();
        let token = registration.in_two.then(|| message.text("resumeToken").to_string());
        if again {
            let same = self.streams.get(client).is_some_and(|stream| stream.token == token);
            ensure!(same, "{client} is registered and has another token");
            return Ok(());
        }
        self.note_delivered(client);
        if message.json("resumed") == "true" {
            return self.see_resumed(link, client, &registration, token.as_deref());
        }
        let must = registration.in_two
            && self.must_resume(client, &registration.token, registration.last_seq);
        ensure!(!must, "{client}#{link} had the right token and was not resumed");
        let new = token.clone().is_none_or(|token| self.tokens.insert(token));
        ensure!(new, "{client}#{link} begins anew with an old token");
        let before = self
            .streams
            .insert(client.to_string(), Stream::new(token, registration.token.clone(), link));
        self.begin_anew(link, client, &registration, before.is_some_and(|old| old.is_in_two()));
        Ok(())
    }

    /// Checks a registration that continues the last one.
    fn see_resumed(
        &mut self,
        link: LinkId,
        client: &str,
        registration: &Registration,
        token: Option<&str>,
    ) -> Result<(), Violation> {
        let known = token.filter(|token| *token == registration.token);
        let Some(stream) = self
            .streams
            .get_mut(client)
            .filter(|stream| stream.is_in_two() && stream.token.as_deref() == known)
        else {
            ensure!(false, "{client}#{link} was resumed with a wrong token");
            return Ok(());
        };
        let had = registration.last_seq <= stream.last_seq();
        ensure!(had, "{client}#{link} was resumed after what it was never sent");
        stream.acknowledge(registration.last_seq);
        let before = std::mem::replace(&mut stream.link, link);
        let before = self.links.get(&before).cloned().unwrap_or_default();
        self.links.insert(
            link,
            Link {
                registration: registration.clone(),
                registered: true,
                next_seq: registration.last_seq + 1,
                ..before
            },
        );
        for call in self.calls.values_mut() {
            let Some(side) = call.side_of(client) else { continue };
            let end = call.end(side);
            end.denied_on = end.denied_on.map(|_| link);
        }
        self.registering = None;
        self.seen.resumptions += 1;
        Ok(())
    }

    /// Handles a registration that resumes nothing: ends in the last stream are lost, and deferred
    /// messages are not.
    fn begin_anew(
        &mut self,
        link: LinkId,
        client: &str,
        registration: &Registration,
        was_in_two: bool,
    ) {
        if let Some(known) = self.links.get_mut(&link) {
            known.next_seq = 1;
        }
        self.forget_crossings(client);
        for call in self.calls.values_mut() {
            let (over, Some(side)) = (call.over, call.side_of(client)) else { continue };
            // It was refused the call while the call lived.
            let denied = call.end(side).denied_on.take().is_some();
            call.end(side).end_lost |= denied && over != Over::No;
        }
        self.inherit_calls(link, client);
        if !registration.in_two {
            self.note_ambiguous_answers(client);
        }
        if was_in_two {
            self.lose_stream(client, registration);
        }
        if !registration.in_two {
            self.drop_signals(client);
        }
        for (at, call) in registration.calls.iter().enumerate() {
            let again = registration.calls[..at].iter().any(|each| each.call_id == call.call_id);
            if registration.in_two && !again {
                self.see_presented_call(link, client, call);
            }
        }
        self.note_load(client);
    }

    /// Handles the end of a registration: the client has been sent everything due and has presented
    /// its calls. Other calls count as lost by the client.
    pub(super) fn see_end_of_registration(&mut self) {
        let Some(link) = self.registering.take() else { return };
        let in_two = self.speaks_two(link);
        let Some(known) = self.links.get(&link) else { return };
        let client = self.attached.iter().find(|(_, attached)| **attached == link);
        let Some((client, _)) = client else { return };
        let (now, deadline) = (self.now, self.now + self.limits.ring_timeout);
        for (id, call) in &mut self.calls {
            let Some(side) = call.side_of(client).filter(|side| !call.is_done(*side)) else {
                continue;
            };
            let settled = known.proven.contains(id) && !call.end(side).contested;
            if settled || call.end(side).claim_deadline.is_some() {
                continue;
            }
            // A client of dialect 1 need not present a call, and cannot if it is not its own.
            if !in_two && call.end(side).owner.is_none() {
                continue;
            }
            call.end(side).claim_deadline = Some(deadline);
            if call.recovered {
                call.presented = call.presented.map(|_| now);
            }
        }
    }

    fn lose_stream(&mut self, client: &str, registration: &Registration) {
        for (id, call) in &mut self.calls {
            let Some(side) = call.side_of(client).filter(|side| !call.is_done(*side)) else {
                continue;
            };
            call.end(side).end_lost |= call.over != Over::No && !registration.presents(id);
        }
    }

    /// Makes signals optional: a client of dialect 1 is sent no signals.
    fn drop_signals(&mut self, client: &str) {
        for call in self.calls.values_mut() {
            let Some(side) = call.side_of(client) else { continue };
            let items = call.end(side).channel.iter_mut();
            items.filter(|item| item.what == "CALL_SIGNAL").for_each(|item| item.optional = true);
        }
    }

    fn see_presented_call(&mut self, link: LinkId, client: &str, presented: &Presented) {
        let id = &presented.call_id;
        let tokens = self.tokens(link, client);
        let full = self.load(client).1 >= self.limits.per_session_max;
        let side = self.calls.get(id).and_then(|call| Some((call, call.side_of(client)?)));
        let peer = side.map(|(call, side)| call.client(side.other()).to_string());
        let crowd = peer.as_ref().map_or(0, |peer| self.crowd(peer));
        let (now, ring_timeout) = (self.now, self.limits.ring_timeout);
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(side) = call.side_of(client).filter(|side| !call.is_done(*side)) else { return };
        if side == Side::Callee && call.rung.is_none() && !call.recovered {
            return;
        }
        let admission = call.admits(side, tokens.as_ref());
        if admission == Admission::No {
            call.end(side).denied_on = Some(link);
            return;
        }
        if call.recovered || !call.is_unanswered_at(side) {
            call.bind(side, tokens);
        }
        if call.recovered {
            call.end(side).claimed_answered |= presented.answered;
            call.reasons.extend((!presented.answered).then_some("timeout"));
        }
        let perhaps = admission == Admission::Perhaps || call.ends[side as usize].contested;
        let refusable = perhaps || (full && !call.end(side).presented);
        let had_it = side == Side::Callee || call.ends[0].answered;
        let lost_answer = call.answer.is_some() && had_it && !presented.answered;
        if refusable || lost_answer {
            call.over = call.over.max(Over::Maybe);
        }
        let crowded = crowd >= self.limits.per_session_max;
        let excused = perhaps || full || crowded || call.overflows || call.over == Over::Yes;
        let fresh = call.recovered && !call.touched && !excused;
        call.touched = true;
        if refusable {
            call.end(side).perhaps_presented = true;
        } else {
            call.show(side, now);
        }
        if call.recovered && call.is_unanswered_at(side) {
            let deadline = (!presented.answered).then(|| now + ring_timeout);
            call.end(side).ring_deadline = deadline;
            let first = &mut call.end(side).first_ring_deadline;
            *first = (*first).or(deadline);
        }
        let known = self.links.entry(link).or_default();
        known.proven.insert(id.clone());
        known.registration.fresh.extend(fresh.then(|| id.clone()));
        if let Some(peer) = peer {
            // It takes room that another call may need.
            self.note_crowd(&peer);
        }
    }

    /// Handles CALL_ENDED that answers a presented call. Returns false if the message is another.
    pub(super) fn see_refused_presentation(
        &mut self,
        link: LinkId,
        id: &str,
        side: Option<Side>,
        message: &Wire<'_>,
    ) -> Result<bool, Violation> {
        let known = self.links.entry(link).or_default();
        let presented = known.registration.presents(id) && self.registering == Some(link);
        if message.message_type != "CALL_ENDED" || !presented {
            return Ok(false);
        }
        let fresh = known.registration.fresh.iter().any(|fresh| fresh == id);
        ensure!(!fresh, "{id} is presented after a restart and answered with its end");
        let call = self.calls.get(id).zip(side);
        let live = call.is_some_and(|(call, side)| {
            let rung = side == Side::Caller || call.rung.is_some() || call.recovered;
            let end = &call.ends[side as usize];
            !call.is_done(side) && rung && end.denied_on != Some(link) && !end.contested
        });
        if live {
            return Ok(false);
        }
        if let (Some(call), Some(side)) = (self.calls.get_mut(id), side)
            && call.ends[side as usize].contested
        {
            call.end(side).denied_on = Some(link);
        }
        let once = known.refused.insert(id.to_string());
        ensure!(once, "#{link} was sent the end of {id} twice");
        Ok(true)
    }
}
