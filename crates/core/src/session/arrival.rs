//! A connection registers a session's client.

use std::borrow::Cow;

use securecall_protocol::{
    Dialect, EndReason, Opaque, Presented, Registered, Registration, Reply, Resumption,
    ServerMessage,
};

use super::call::{Claim, Phase, Role};
use super::{Outputs, Presence, Session, output::Output};
use crate::context::Context;
use crate::mail::{Content, Mail};

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
        self.presence = Presence::Online;
        let mut outputs = Outputs::new();
        if let Some(missed) = self.missed(registration) {
            outputs.push(self.registered(cx, true, reply_to));
            outputs.extend(missed.into_iter().map(Output::SendText));
            return outputs;
        }
        self.begin_speech(cx, registration.dialect);
        outputs.push(self.registered(cx, false, reply_to));
        let farewells = self.farewells.take();
        self.say_waiting(cx, farewells, &mut outputs);
        for at in 0..self.calls.len() {
            self.follow_or_wait(cx, at, &mut outputs);
        }
        for call in &registration.calls {
            self.present_at_registration(cx, call, &mut outputs);
        }
        outputs
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
    fn missed(&self, registration: &Registration<'_>) -> Option<Vec<Box<str>>> {
        let stream = self.stream.as_ref()?;
        let token = registration.resume_token.as_deref()?;
        if !same_token(token, stream.token()) {
            return None;
        }
        Some(stream.after(registration.last_seq)?.map(Into::into).collect())
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

    /// Another registration has begun: ring the client again, or wait for its proof.
    fn follow_or_wait(&mut self, cx: &Context<'_>, at: usize, outputs: &mut Outputs<'_>) {
        let call = &mut self.calls[at];
        match (&call.phase, call.role, call.claim) {
            (Phase::Ringing { sdp_offer: Some(sdp_offer), .. }, Role::Callee, _) => {
                call.claim = Claim::Proven;
                let (call_id, caller_id) = (call.id.clone(), call.peer.clone());
                let (sdp_offer, waiting) = (sdp_offer.clone(), call.waiting.take());
                let Some(sdp_offer) = Opaque::from_stored(&sdp_offer) else { return };
                let message = ServerMessage::IncomingCall {
                    call_id: (&*call_id).into(),
                    caller_id,
                    sdp_offer,
                    ice_servers: self.ice_servers(cx),
                };
                outputs.extend(self.say_text(cx, message));
                self.say_waiting(cx, waiting, outputs);
            }
            (Phase::Active, _, Claim::Untold) => {
                call.claim = Claim::Proven;
                let waiting = call.waiting.take();
                self.say_waiting(cx, waiting, outputs);
            }
            // A caller of dialect 2 knows its call's id; the next one may be of dialect 1 and wait
            // for an answer without it, or of dialect 2 and be told the id with the answer.
            (Phase::Ringing { .. }, Role::Caller, _) => call.claim = Claim::Untold,
            (_, _, Claim::Proven) => call.claim = Claim::Unproven { deadline: None },
            (_, _, Claim::Untold | Claim::Unproven { .. }) => {}
        }
    }

    /// The client says that it is in this call, and how far it got.
    fn present_at_registration<'m>(
        &mut self,
        cx: &Context<'_>,
        presented: &Presented<'m>,
        outputs: &mut Outputs<'m>,
    ) {
        let call_id = &presented.call_id;
        let answered = presented.answered;
        match self.present(cx, call_id, outputs) {
            Ok(at) => {
                let deadline = cx.now + cx.config.calls.ring_timeout;
                let call = &mut self.calls[at];
                if let Phase::Recovered { .. } = call.phase {
                    let deadline = (!answered).then_some(deadline);
                    call.phase = Phase::Recovered { answered, deadline };
                }
                let mail = Mail { call_id: call_id.clone(), content: Content::Present };
                outputs.push(Output::Mail { to: call.peer.clone(), mail, request_id: None });
            }
            // Only an id that we made is repeated: anything else could be any text.
            Err(_) if cx.config.call_ids.open(call_id).is_some() => {
                outputs.extend(self.say_end(cx, call_id.clone(), EndReason::Unreachable));
            }
            Err(_) => {}
        }
    }
}

/// Compares without telling by its time how much is right.
fn same_token(left: &str, right: &str) -> bool {
    let difference = left.bytes().zip(right.bytes()).fold(0, |sum, (l, r)| sum | (l ^ r));
    left.len() == right.len() && difference == 0
}
