//! A connection registers the session's client.

use std::borrow::Cow;

use securecall_protocol::{
    Dialect, EndReason, Opaque, Presented, Registered, Registration, Reply, Resumption,
    ServerMessage,
};

use super::call::{Call, Claim, Phase, Role};
use super::calls::Slot;
use super::end::Notify;
use super::{Output, Outputs, Session};
use crate::call_id::CallIdKey;
use crate::context::Context;
use crate::mail::{Content, Mail};

impl Session {
    /// Takes note that a connection registered this client: the first, one after a loss, or one that
    /// supersedes another.
    ///
    /// With the token of the registration before it, it continues that one. Without, calls that are
    /// being set up follow the id: they ring again. Running calls do not, because anybody can
    /// register a plain id; their mail is deferred until the client presents the call's id.
    pub fn attach<'m>(
        &mut self,
        cx: &Context<'_>,
        registration: &Registration<'m>,
        reply_to: Option<Opaque<'m>>,
    ) -> Outputs<'m> {
        let mut of_lost_connection = Outputs::new();
        if self.client.is_online() {
            self.disconnect(cx, &mut of_lost_connection);
        }
        self.client.set_online();
        let mut outputs = Outputs::new();
        if let Some(missed) = self.client.resume(cx.now, registration) {
            outputs.push(self.registered(cx, true, reply_to));
            outputs.extend(missed.into_iter().map(Output::SendText));
            self.note_offers_again(cx, registration.last_seq);
            self.send_all_deferred(cx, &mut outputs);
        } else {
            self.begin(cx, registration);
            outputs.push(self.registered(cx, false, reply_to));
            self.announce_calls(cx, registration, &mut outputs);
        }
        outputs.extend(of_lost_connection);
        outputs
    }

    /// Answers a REGISTER of the connection that is registered already: nothing changes.
    pub fn reaffirm<'m>(
        &self,
        cx: &Context<'_>,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        self.client.is_online().then(|| self.registered(cx, true, reply_to))
    }

    /// REGISTERED carries no number: it comes before the messages of a replay buffer.
    fn registered<'m>(
        &self,
        cx: &Context<'_>,
        resumed: bool,
        reply_to: Option<Opaque<'m>>,
    ) -> Output<'m> {
        let resumption = self.client.tokens().map(|tokens| Resumption {
            resume_token: Cow::Owned(tokens.given().to_owned()),
            resumed,
            heartbeat_seconds: cx.config.connection.ping_after.as_secs().max(1),
            message_bytes_max: cx.config.connection.message_bytes_max,
            rates: cx.config.connection.rates(),
        });
        let client_id = self.client_id().clone();
        let message = ServerMessage::Registered(Registered { client_id, resumption });
        Output::Send(Reply { message, dialect: self.client.dialect(), seq: None, reply_to })
    }

    /// Offers among the messages after `seq` are delivered again.
    fn note_offers_again(&mut self, cx: &Context<'_>, seq: u64) {
        for offer in self.calls.iter_mut().filter_map(Call::offer_mut) {
            offer.deliver_after(cx.now, seq);
        }
    }

    /// Sends a client that resumes the messages that were deferred in its calls.
    fn send_all_deferred(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        for at in self.calls.slots() {
            if !matches!(self.calls[at].claim, Claim::Unproven { .. }) {
                self.send_deferred(cx, at, outputs);
            }
        }
    }

    /// Begins a registration that continues no other. The calls that it owns stay its own.
    fn begin(&mut self, cx: &Context<'_>, registration: &Registration<'_>) {
        self.client.begin(cx, registration);
        for call in self.calls.iter_mut() {
            call.denied = false;
            if let (Some(owner), Some(tokens)) = (&call.owner, self.client.tokens())
                && owner.have_one_of(tokens)
            {
                call.bind(Some(tokens));
            }
        }
    }

    /// Sends a client that begins anew the ends that it missed, the calls that follow its id, and
    /// those that it presents.
    fn announce_calls<'m>(
        &mut self,
        cx: &Context<'_>,
        registration: &Registration<'m>,
        outputs: &mut Outputs<'m>,
    ) {
        let mut dealt_with: Vec<Cow<'_, str>> = Vec::new();
        if !registration.calls.is_empty() {
            let missed = self.client.missed_call_ids();
            dealt_with.extend(missed.map(|call_id| Cow::Owned(call_id.to_string())));
        }
        for end in self.client.take_missed_ends() {
            outputs.extend(self.client.send_deferred(cx, &self.calls, &end));
        }
        self.end_mistakable_answers(cx, outputs);
        for at in self.calls.slots() {
            if !registration.presents(&self.calls[at].id) {
                // The client learns of the call from the answer, if one was deferred.
                self.calls[at].deferred.put_answer_first();
            }
            if self.announce_or_await_proof(cx, at, outputs) {
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

    /// A call that is being set up follows the client id, any other needs a proof. Returns true if
    /// the client was sent the call.
    fn announce_or_await_proof(
        &mut self,
        cx: &Context<'_>,
        at: Slot,
        outputs: &mut Outputs<'_>,
    ) -> bool {
        let dialect = self.client.dialect();
        let call = &mut self.calls[at];
        match (&call.phase, call.role, call.claim) {
            (Phase::Ringing { offer: Some(offer), .. }, Role::Callee, _) => {
                let sdp_offer = offer.sdp.clone();
                self.ring_again(cx, at, sdp_offer.as_opaque(), outputs);
            }
            // A client of dialect 1 waits for an answer and does not know the id.
            (Phase::Ringing { .. }, Role::Caller, _) if dialect == Dialect::One => {
                call.claim = Claim::Unannounced;
                return false;
            }
            (Phase::Ringing { .. }, Role::Caller, _) => self.send_initiated(cx, at, outputs),
            (Phase::Active, _, Claim::Unannounced) => self.send_deferred(cx, at, outputs),
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
        at: Slot,
        sdp_offer: Opaque<'_>,
        outputs: &mut Outputs<'_>,
    ) {
        let call = &self.calls[at];
        let (call_id, caller_id) = (call.id.clone(), call.peer.clone());
        let (call_id, ice_servers) = ((&*call_id).into(), self.client.ice_servers(cx));
        self.note_offer(cx, at);
        let incoming = ServerMessage::IncomingCall { call_id, caller_id, sdp_offer, ice_servers };
        outputs.extend(self.client.send_text(cx, &self.calls, incoming));
        self.send_deferred(cx, at, outputs);
    }

    /// The client may have had another connection when it was sent the id, or none.
    fn send_initiated(&mut self, cx: &Context<'_>, at: Slot, outputs: &mut Outputs<'_>) {
        let call = &self.calls[at];
        let (call_id, target_id) = (call.id.clone(), call.peer.clone());
        let (call_id, ice_servers) = ((&*call_id).into(), self.client.ice_servers(cx));
        let initiated = ServerMessage::CallInitiated { call_id, target_id, ice_servers };
        outputs.extend(self.client.send_text(cx, &self.calls, initiated));
        self.send_deferred(cx, at, outputs);
    }

    /// REGISTER names a call that the client is in, and whether it was answered.
    fn present_at_registration<'m>(
        &mut self,
        cx: &Context<'_>,
        presented: &Presented<'m>,
        outputs: &mut Outputs<'m>,
    ) {
        let (call_id, answered) = (&presented.call_id, presented.answered);
        let Ok(at) = self.present(cx, call_id, outputs) else {
            return self.end_presented(cx, call_id.clone(), outputs);
        };
        let call = &mut self.calls[at];
        if call.has_lost_its_answer(answered) {
            return self.end_presented(cx, call_id.clone(), outputs);
        }
        if let Phase::Recovered { .. } = call.phase {
            let deadline = (!answered).then(|| cx.now + cx.config.calls.ring_timeout);
            call.phase = Phase::Recovered { answered, deadline };
            call.bind(self.client.tokens());
        }
        let mail = Mail { call_id: call_id.clone(), content: Content::Present { answered } };
        outputs.push(Output::Mail { to: call.peer.clone(), mail, request_id: None });
    }

    /// Ends a call that the client presents and that cannot go on. The client is sent an end in any
    /// case; the peer if it may still expect an answer.
    fn end_presented<'m>(
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
        outputs.extend(self.reply(cx, ended, None));
        let call = match self.calls.find(&call_id) {
            // It belongs to another client, which that does not concern.
            Some(at) if self.calls[at].denied => return,
            Some(at) => Some(self.calls.remove(at)),
            None => self.recover(cx, &call_id, Claim::Proven),
        };
        if let Some(call) = call {
            self.calls.remember_end(&call);
            self.end(cx, call, reason, Notify::PEER, outputs);
        }
    }
}
