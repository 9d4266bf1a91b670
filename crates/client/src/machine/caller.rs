//! Calling somebody: the callee's key, the offer, the answer.

use securecall_protocol::client::{IceServer, Outgoing};
use securecall_protocol::{ClientId, Dialect, EndReason};
use securecall_seal::{DirectoryKey, TEXT_BYTES_MAX};

use super::calls::{Answered, Call, Offering, State};
use super::ending::End;
use super::sender::{MessageId, Purpose};
use super::{Context, Machine};
use crate::command::Reply;
use crate::{CallId, Ending, Error, Event};

impl Machine {
    pub(super) fn begin_call(
        &mut self,
        cx: &mut Context<'_>,
        target: ClientId,
        key: Option<DirectoryKey>,
        offer: String,
        reply: Reply<CallId>,
    ) {
        let refusal = match offer.len() {
            length if length > TEXT_BYTES_MAX => {
                Some(securecall_seal::Error::TextTooLong(length).into())
            }
            _ if target == self.client_id => Some(securecall_seal::Error::SelfCall.into()),
            _ if self.another_call_begins() => Some(Error::OneCallAtATime),
            _ => None,
        };
        if let Some(refusal) = refusal {
            let _ = reply.send(Err(refusal));
            return;
        }
        let state = State::SeekingCallee { offer, reply };
        let call = Call::new(target.clone(), None, state, cx.now);
        let Some(id) = self.insert_call(call) else { return };
        match key {
            Some(key) => self.callee_key(cx, id, Ok(Some(key))),
            None => {
                let lookup = Outgoing::PkdLookup { client_id: target };
                self.request(cx, lookup, Purpose::CalleeKey(id));
            }
        }
    }

    /// In dialect 1 an answer to the one could not be told from an answer to the other.
    fn another_call_begins(&self) -> bool {
        let begins = |call: &Call| {
            call.wire_id.is_none()
                && matches!(call.state, State::SeekingCallee { .. } | State::Offering(_))
        };
        self.registration.dialect() == Dialect::One && self.calls.search(begins).is_some()
    }

    fn insert_call(&mut self, call: Call) -> Option<CallId> {
        if self.calls.is_full() {
            if let State::SeekingCallee { reply, .. } = call.state {
                let _ = reply.send(Err(Error::TooMuchWaits));
            }
            return None;
        }
        Some(self.calls.insert(call))
    }

    /// The directory has answered whom we want to call.
    pub(super) fn callee_key(
        &mut self,
        cx: &mut Context<'_>,
        id: CallId,
        key: Result<Option<DirectoryKey>, Error>,
    ) {
        let Some(call) = self.calls.find(id) else { return };
        if !matches!(call.state, State::SeekingCallee { .. }) {
            return;
        }
        let State::SeekingCallee { offer, reply } = call.take_state() else { return };
        let begun = key
            .and_then(|key| key.ok_or(Error::NoKey))
            .and_then(|key| self.keyring.check(key))
            .and_then(|key| self.offer(cx, id, key, offer));
        if begun.is_err() {
            self.calls.remove(id);
        }
        let _ = reply.send(begun.map(|()| id));
    }

    /// Seals the offer and sends it.
    fn offer(
        &mut self,
        cx: &mut Context<'_>,
        id: CallId,
        callee_key: DirectoryKey,
        offer: String,
    ) -> Result<(), Error> {
        let (offered, sdp_offer) =
            self.keyring.seal_offer(&callee_key, &offer, cx.wall, &mut cx.rng)?;
        let target_id = self.calls.find(id).ok_or(Error::NoSuchCall)?.peer.clone();
        let request = self.sender.queue(Outgoing::CallInitiate { target_id, sdp_offer })?;
        if let Some(call) = self.calls.find(id) {
            let offering = Offering { offered, callee_key, offer, request, begun: false };
            call.state = State::Offering(Box::new(offering));
        }
        Ok(())
    }

    /// Calls whose CALL_INITIATE was lost are begun anew, with an offer that is fresh: the callee
    /// may have got the old one from a server that is gone, and takes none twice.
    pub(super) fn call_again(&mut self, cx: &mut Context<'_>) {
        while let Some(id) = self.calls.any_beginning_unknown() {
            let Some(call) = self.calls.find(id) else { return };
            let State::Offering(offering) = call.take_state() else { return };
            let Offering { callee_key, offer, .. } = *offering;
            if self.offer(cx, id, callee_key, offer).is_err() {
                let end = Ending::Ended(EndReason::Unreachable);
                self.end_call(cx, id, End::ByServer(end));
            }
        }
    }

    /// CALL_INITIATED: the call has an id. Without `replyTo` it is a repetition, after
    /// a new registration.
    pub(super) fn call_initiated(
        &mut self,
        reply_to: Option<MessageId>,
        wire_id: String,
        target_id: &ClientId,
    ) {
        if self.calls.by_wire_id(&wire_id).is_some() {
            return;
        }
        let is_it = |call: &Call| match (&call.state, reply_to) {
            (State::Offering(offering), Some(request)) => offering.request == request,
            (State::Offering(_), None) => call.is_beginning_unknown() && call.peer == *target_id,
            _ => false,
        };
        match self.calls.search(is_it).and_then(|id| self.calls.find(id)) {
            Some(call) if call.wire_id.is_none() => call.wire_id = Some(wire_id),
            _ => self.end_unrecorded(wire_id),
        }
    }

    /// The call of this id; in dialect 1 also the one that has begun and has no id yet.
    pub(super) fn call_named(&mut self, wire_id: &str) -> Option<CallId> {
        if let Some(id) = self.calls.by_wire_id(wire_id) {
            return Some(id);
        }
        if self.registration.dialect() == Dialect::Two {
            return None;
        }
        let id = self.calls.any_beginning_unknown()?;
        self.calls.find(id)?.wire_id = Some(wire_id.to_owned());
        Some(id)
    }

    pub(super) fn call_ringing(&mut self, wire_id: &str) {
        match self.calls.by_wire_id(wire_id) {
            Some(call) => self.report(Event::Ringing { call }),
            None => self.repeat_end(wire_id),
        }
    }

    /// CALL_ACCEPTED: opens the answer. One that is not the callee's ends the call.
    pub(super) fn call_accepted(
        &mut self,
        cx: &Context<'_>,
        wire_id: &str,
        sdp_answer: &str,
        ice_servers: Vec<IceServer>,
    ) {
        let Some(id) = self.call_named(wire_id) else {
            return self.end_unrecorded(wire_id.to_owned());
        };
        let Some(call) = self.calls.find(id).filter(|call| call.is_offering()) else { return };
        let State::Offering(offering) = call.take_state() else { return };
        let Offering { offered, callee_key, .. } = *offering;
        let accepted = match self.keyring.check(callee_key.clone()) {
            Ok(_) => offered.accept(wire_id, sdp_answer),
            // Since the call began, another key has become the one remembered.
            Err(_) => Err(securecall_seal::Error::PeerKeyChanged),
        };
        match accepted {
            Ok((established, answer)) => {
                let Some(call) = self.calls.find(id) else { return };
                let answered = Answered::caller(established, callee_key.fingerprint());
                let digits = answered.digits();
                let early = call.set_answered(answered);
                let first_contact = self.remember(&callee_key);
                let fingerprint = callee_key.fingerprint();
                self.report(Event::Accepted {
                    call: id,
                    answer,
                    ice_servers,
                    digits,
                    fingerprint,
                    first_contact,
                });
                self.send_early_candidates(id, &early);
            }
            Err(error) => drop(self.end_call(cx, id, End::Interference(error))),
        }
    }

    /// CALL_ACCEPTED with an answer that cannot be read. There is no other one.
    pub(super) fn unreadable_answer(&mut self, cx: &Context<'_>, wire_id: String) {
        let Some(id) = self.call_named(&wire_id) else { return self.end_unrecorded(wire_id) };
        if self.calls.find(id).is_some_and(|call| call.is_offering()) {
            let end = End::Interference(securecall_seal::Error::Malformed);
            self.end_call(cx, id, end);
        }
    }
}
