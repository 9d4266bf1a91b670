//! Being called: the caller's key, the offer, ringing, answering.

use securecall_protocol::client::{IceServer, Outgoing};
use securecall_protocol::{ClientId, Dialect, RejectReason};
use securecall_seal::{self as seal, DirectoryKey, TEXT_BYTES_MAX};

use super::call::{Call, SealedOffer, State};
use super::requests::Purpose;
use super::talk::Talk;
use super::{Context, Machine};
use crate::{CallId, Error, Event, KeyChange};

impl Machine {
    /// INCOMING_CALL, for the first time or again.
    pub(super) fn incoming_call(
        &mut self,
        cx: &Context<'_>,
        wire_id: String,
        caller: ClientId,
        sdp_offer: String,
        ice_servers: Vec<IceServer>,
    ) {
        if let Some(id) = self.calls.by_wire_id(&wire_id) {
            return self.rings_again(id);
        }
        if self.calls.is_over(&wire_id) {
            return self.end_again(&wire_id);
        }
        let sealed = SealedOffer { text: sdp_offer, ice_servers };
        let state = State::SeekingCaller { sealed, retried: false };
        let call = Call::new(caller.clone(), Some(wire_id.clone()), state, cx.now);
        match self.calls.insert(call) {
            Some(id) => self.seek_caller(cx, id, caller),
            None => {
                let reason = RejectReason::Busy;
                self.say_farewell(Outgoing::CallReject { call_id: wire_id, reason });
            }
        }
    }

    /// The server rings for a call that this end has answered: it has not heard the answer.
    fn rings_again(&mut self, id: CallId) {
        let answer = self.calls.find(id).and_then(|call| call.answer());
        if let Some(answer) = answer {
            self.queue_short(answer);
        }
    }

    fn seek_caller(&mut self, cx: &Context<'_>, id: CallId, caller: ClientId) {
        self.request(cx, Outgoing::PkdLookup { client_id: caller }, Purpose::CallerKey(id));
    }

    /// The directory has answered who calls.
    pub(super) fn caller_key(
        &mut self,
        cx: &mut Context<'_>,
        id: CallId,
        key: Result<Option<DirectoryKey>, Error>,
    ) {
        match key.and_then(|key| key.ok_or(Error::NoKey)).and_then(|key| self.trusted(key)) {
            Ok(key) => self.open_offer(cx, id, key),
            Err(Error::KeyChanged(change)) => self.doubt(id, change),
            Err(why) => self.refuse_offer(id, why),
        }
    }

    fn doubt(&mut self, id: CallId, change: Box<KeyChange>) {
        let Some(call) = self.calls.find(id) else { return };
        if let State::SeekingCaller { sealed, .. } = call.take_state() {
            let key = Box::new(change.present.clone());
            call.state = State::Doubtful { sealed, key };
            self.tell(Event::KeyChanged { call: id, change });
        }
    }

    /// The application trusts this key: what waited for that goes on.
    pub(super) fn end_doubts(&mut self, cx: &mut Context<'_>, trusted: &DirectoryKey) {
        let waits = |call: &Call| match &call.state {
            State::Doubtful { key, .. } => {
                key.client_id() == trusted.client_id() && key.fingerprint() == trusted.fingerprint()
            }
            _ => false,
        };
        while let Some(id) = self.calls.search(waits) {
            let Some(call) = self.calls.find(id) else { return };
            let State::Doubtful { sealed, key } = call.take_state() else { return };
            call.state = State::SeekingCaller { sealed, retried: true };
            self.open_offer(cx, id, *key);
        }
    }

    fn open_offer(&mut self, cx: &mut Context<'_>, id: CallId, key: DirectoryKey) {
        let Some(call) = self.calls.find(id) else { return };
        let State::SeekingCaller { sealed, retried } = call.take_state() else { return };
        match self.callee.open_offer(&key, &sealed.text, cx.wall) {
            Ok(incoming) => self.ring(id, incoming, key, sealed.ice_servers),
            Err(seal::Error::PeerKeyChanged) if !retried => {
                let caller = call.peer.clone();
                call.state = State::SeekingCaller { sealed, retried: true };
                self.seek_caller(cx, id, caller);
            }
            Err(error) => {
                if error == seal::Error::OwnKeyChanged {
                    self.publish_key();
                }
                self.refuse_offer(id, error.into());
            }
        }
    }

    fn ring(
        &mut self,
        id: CallId,
        incoming: seal::Incoming,
        key: DirectoryKey,
        ice_servers: Vec<IceServer>,
    ) {
        let first_contact = !self.known_keys.knows(key.client_id());
        let fingerprint = key.fingerprint();
        let Some(call) = self.calls.find(id) else { return };
        let (caller, offer) = (call.peer.clone(), incoming.sdp().to_owned());
        let wire_id = call.wire_id.clone();
        let (incoming, caller_key) = (Box::new(incoming), Box::new(key));
        call.state = State::Ringing { incoming, caller_key };
        if let (Some(call_id), Dialect::Two) = (wire_id, self.dialect) {
            self.queue_short(Outgoing::CallRinging { call_id });
        }
        self.tell(Event::Incoming {
            call: id,
            caller,
            offer,
            ice_servers,
            fingerprint,
            first_contact,
        });
    }

    /// The offer does not ring; its maker, if it was the caller, need not wait.
    pub(super) fn refuse_offer(&mut self, id: CallId, why: Error) {
        if let Some(call) = self.decline(id, RejectReason::Declined) {
            self.tell(Event::OfferRefused { caller: call.peer, why });
        }
    }

    /// The application answers.
    pub(super) fn accept(
        &mut self,
        cx: &mut Context<'_>,
        id: CallId,
        answer: &str,
    ) -> Result<(), Error> {
        if answer.len() > TEXT_BYTES_MAX {
            return Err(seal::Error::TextTooLong(answer.len()).into());
        }
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        let wire_id = call.wire_id.clone().ok_or(Error::WrongMoment)?;
        let State::Ringing { caller_key, .. } = &call.state else {
            return Err(Error::WrongMoment);
        };
        // Since it rang, another call may have made another key the one remembered.
        let key = DirectoryKey::clone(caller_key);
        self.trusted(key)?;
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        let State::Ringing { incoming, caller_key } = call.take_state() else {
            return Err(Error::WrongMoment);
        };
        let sealed = incoming.answer(&wire_id, answer, &mut cx.rng);
        let queued = sealed.map_err(Error::Seal).and_then(|(established, sdp_answer)| {
            let talk = Talk::callee(established, sdp_answer.clone());
            self.queue(Outgoing::CallAccept { call_id: wire_id, sdp_answer }).map(|_| talk)
        });
        match queued {
            Ok(talk) => self.answered(id, talk, &caller_key),
            Err(error) => {
                // Its keys are used up: it cannot be answered any more.
                self.decline(id, RejectReason::Declined);
                return Err(error);
            }
        }
        Ok(())
    }

    fn answered(&mut self, id: CallId, talk: Talk, caller_key: &DirectoryKey) {
        if let Some(call) = self.calls.find(id) {
            call.state = State::Talking(Box::new(talk));
            call.rings_until = None;
        }
        self.remember(caller_key);
        self.say_early(id);
    }
}
