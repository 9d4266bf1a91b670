//! A connection registers a session's client.

use std::borrow::Cow;

use securecall_protocol::{
    Dialect, EndReason, Opaque, Presented, Registered, Registration, Reply, Resumption,
    ServerMessage,
};

use super::call::{Call, Claim, Phase, Role};
use super::owner::same_token;
use super::{Outputs, Presence, Session, output::Output};
use crate::call_id::CallIdKey;
use crate::context::Context;
use crate::mail::{Content, Mail};
use crate::time::Instant;

impl Session {
    /// A connection registered this client: the first, one after a loss, or one that supersedes
    /// another.
    ///
    /// With the token of the registration before it goes on where that one broke off. Without,
    /// calls that are being set up follow the id: they ring again. Running calls do not, because
    /// anybody can register a plain id; their mail waits until the client presents the call's id.
    pub fn attach<'m>(
        &mut self,
        cx: &Context<'_>,
        registration: &Registration<'m>,
        reply_to: Option<Opaque<'m>>,
    ) -> Outputs<'m> {
        let mut parting = Outputs::new();
        if self.is_online() {
            self.part(cx, &mut parting);
        }
        self.presence = Presence::Online;
        let mut outputs = Outputs::new();
        if let Some(missed) = self.missed(cx.now, registration) {
            outputs.push(self.registered(cx, true, reply_to));
            outputs.extend(missed.into_iter().map(Output::SendText));
            self.note_offers_again(cx, registration.last_seq);
            self.tell_what_waited(cx, &mut outputs);
        } else {
            self.begin_speech(cx, registration);
            outputs.push(self.registered(cx, false, reply_to));
            self.tell_what_followed(cx, registration, &mut outputs);
        }
        outputs.extend(parting);
        outputs
    }

    /// Offers among the messages after `seq` are delivered again.
    fn note_offers_again(&mut self, cx: &Context<'_>, seq: u64) {
        for offer in self.calls.iter_mut().filter_map(Call::offer_mut) {
            offer.deliver_after(cx.now, seq);
        }
    }

    /// The client begins anew: ends that it missed, calls that follow its id, calls that it
    /// presents.
    fn tell_what_followed<'m>(
        &mut self,
        cx: &Context<'_>,
        registration: &Registration<'m>,
        outputs: &mut Outputs<'m>,
    ) {
        let mut dealt_with: Vec<Cow<'_, str>> = Vec::new();
        if !registration.calls.is_empty() {
            let missed = self.farewells.call_ids();
            dealt_with.extend(missed.map(|call_id| Cow::Owned(call_id.to_string())));
        }
        let farewells = self.farewells.take();
        // The client is there, so nothing that it is told here is over a bound.
        let _ = self.say_waiting(cx, farewells, outputs);
        self.give_up_mistakable_answers(outputs);
        for at in 0..self.calls.len() {
            if !registration.presents(&self.calls[at].id) {
                // It learns of the call from the answer, if one has waited.
                self.calls[at].waiting.put_answer_first();
            }
            if self.follow_or_wait(cx, at, outputs) {
                dealt_with.push(Cow::Owned(self.calls[at].id.to_string()));
            }
        }
        for call in &registration.calls {
            if !dealt_with.contains(&call.call_id) {
                self.present_at_registration(cx, call, outputs);
                dealt_with.push(call.call_id.clone());
            }
        }
    }

    /// The connection that is registered already says REGISTER once more: nothing changes.
    pub fn reaffirm<'m>(
        &self,
        cx: &Context<'_>,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        self.is_online().then(|| self.registered(cx, true, reply_to))
    }

    /// Whether the client speaks dialect 2.
    pub fn speaks_dialect_two(&self) -> bool {
        self.dialect() == Dialect::Two
    }

    /// What a registration that resumes has missed. None: it does not resume.
    fn missed(&mut self, now: Instant, registration: &Registration<'_>) -> Option<Vec<Box<str>>> {
        let stream = self.stream.as_mut()?;
        let token = registration.resume_token.as_deref()?;
        if !same_token(token, stream.token()) {
            return None;
        }
        Some(stream.resume(registration.last_seq, now)?.map(Into::into).collect())
    }

    /// REGISTERED carries no number: it comes before what a resumed stream sends again.
    fn registered<'m>(
        &self,
        cx: &Context<'_>,
        resumed: bool,
        reply_to: Option<Opaque<'m>>,
    ) -> Output<'m> {
        let resumption = self.stream.as_ref().map(|stream| Resumption {
            resume_token: Cow::Owned(stream.token().to_owned()),
            resumed,
            heartbeat_seconds: cx.config.connection.ping_after.as_secs().max(1),
            message_bytes_max: cx.config.connection.message_bytes_max,
        });
        let client_id = self.client_id.clone();
        let message = ServerMessage::Registered(Registered { client_id, resumption });
        Output::Send(Reply { message, dialect: self.dialect(), seq: None, reply_to })
    }

    /// The client goes on: it is told what has come for its calls while it was away.
    fn tell_what_waited(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        for at in 0..self.calls.len() {
            if !matches!(self.calls[at].claim, Claim::Unproven { .. }) {
                self.tell_waiting(cx, at, outputs);
            }
        }
    }

    /// Another registration has begun: what is being set up follows it, the rest waits for proof.
    /// Returns whether the client was told of the call.
    fn follow_or_wait(&mut self, cx: &Context<'_>, at: usize, outputs: &mut Outputs<'_>) -> bool {
        let dialect = self.dialect();
        let call = &mut self.calls[at];
        match (&call.phase, call.role, call.claim) {
            (Phase::Ringing { offer: Some(offer), .. }, Role::Callee, _) => {
                let sdp_offer = offer.sdp.clone();
                self.ring_again(cx, at, sdp_offer.as_opaque(), outputs);
            }
            // A client of dialect 1 waits for an answer and does not know the id.
            (Phase::Ringing { .. }, Role::Caller, _) if dialect == Dialect::One => {
                call.claim = Claim::Untold;
                return false;
            }
            (Phase::Ringing { .. }, Role::Caller, _) => self.tell_initiated_again(cx, at, outputs),
            (Phase::Active, _, Claim::Untold) => self.tell_waiting(cx, at, outputs),
            // A client of dialect 2 presents all its calls, and does so at once. One of dialect 1
            // cannot present what belongs to a registration of dialect 2.
            (_, _, _) => {
                let bounded = dialect == Dialect::Two || call.owner.is_some();
                let deadline = cx.now + cx.config.calls.ring_timeout;
                call.await_proof(bounded.then_some(deadline));
                return false;
            }
        }
        true
    }

    fn ring_again(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        sdp_offer: Opaque<'_>,
        outputs: &mut Outputs<'_>,
    ) {
        let call = &self.calls[at];
        let (call_id, caller_id) = (call.id.clone(), call.peer.clone());
        let (call_id, ice_servers) = ((&*call_id).into(), self.ice_servers(cx));
        self.note_offer(cx, at);
        let incoming = ServerMessage::IncomingCall { call_id, caller_id, sdp_offer, ice_servers };
        outputs.extend(self.say_text(cx, incoming).ok().flatten());
        self.tell_waiting(cx, at, outputs);
    }

    /// The client may have had another connection when it was told the id, or none.
    fn tell_initiated_again(&mut self, cx: &Context<'_>, at: usize, outputs: &mut Outputs<'_>) {
        let call = &self.calls[at];
        let (call_id, target_id) = (call.id.clone(), call.peer.clone());
        let (call_id, ice_servers) = ((&*call_id).into(), self.ice_servers(cx));
        let initiated = ServerMessage::CallInitiated { call_id, target_id, ice_servers };
        outputs.extend(self.say_text(cx, initiated).ok().flatten());
        self.tell_waiting(cx, at, outputs);
    }

    /// The client says that it is in this call, and how far it got.
    fn present_at_registration<'m>(
        &mut self,
        cx: &Context<'_>,
        presented: &Presented<'m>,
        outputs: &mut Outputs<'m>,
    ) {
        let (call_id, answered) = (&presented.call_id, presented.answered);
        let Ok(at) = self.present(cx, call_id, outputs) else {
            return self.give_up_presented(cx, call_id.clone(), outputs);
        };
        let call = &mut self.calls[at];
        if call.has_lost_its_answer(answered) {
            return self.give_up_presented(cx, call_id.clone(), outputs);
        }
        if let Phase::Recovered { .. } = call.phase {
            let deadline = (!answered).then(|| cx.now + cx.config.calls.ring_timeout);
            call.phase = Phase::Recovered { answered, deadline };
            call.bind(self.stream.as_deref());
        }
        let mail = Mail { call_id: call_id.clone(), content: Content::Present { answered } };
        outputs.push(Output::Mail { to: call.peer.clone(), mail, request_id: None });
    }

    /// A call that the client presents and that cannot go on: it is told so, and so is the other
    /// end if it may still wait.
    fn give_up_presented<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        outputs: &mut Outputs<'m>,
    ) {
        // What is repeated to the client is of the alphabet of our ids and no other text.
        if !CallIdKey::is_well_formed(&call_id) {
            return;
        }
        let reason = EndReason::Unreachable;
        let ended = ServerMessage::CallEnded { call_id: call_id.clone(), reason };
        outputs.extend(self.say_last(cx, ended, None, None));
        if self.find(&call_id).is_some_and(|at| self.calls[at].denied) {
            // It is somebody else's, whom that does not concern.
            return;
        }
        let old = |session: &Self| session.recover(cx, &call_id, Claim::Proven);
        if let Some(call) = self.end_call(&call_id).or_else(|| old(self)) {
            self.ended.remember(&call);
            outputs.extend(self.end_mail(&call, reason));
        }
    }
}
