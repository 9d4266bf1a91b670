//! Being called: the caller's key, the offer, ringing, answering.

use securecall_protocol::client::{IceServer, Outgoing};
use securecall_protocol::{ClientId, Dialect, RejectReason};
use securecall_seal::{self as seal, DirectoryKey, TEXT_BYTES_MAX};

use super::calls::{Answered, Call, Opened, SealedOffer, State};
use super::ending::End;
use super::sender::Purpose;
use super::{Context, Machine};
use crate::{CallId, Error, Event, KeyChange};

impl Machine {
    /// INCOMING_CALL, for the first time or again.
    pub(super) fn incoming_call(
        &mut self,
        cx: &mut Context<'_>,
        wire_id: String,
        caller: ClientId,
        sdp_offer: String,
        ice_servers: Vec<IceServer>,
    ) {
        if let Some(id) = self.calls.by_wire_id(&wire_id) {
            return self.rings_again(id);
        }
        if self.calls.has_ended(&wire_id) {
            return self.repeat_end(&wire_id);
        }
        if !self.calls.has_room_for(&caller) {
            return self.decline_unrecorded(wire_id, RejectReason::Busy);
        }
        if let Err(error) = self.keyring.precheck_offer(&sdp_offer) {
            self.decline_unrecorded(wire_id, RejectReason::Declined);
            return self.report_refused_offer(cx, caller, error.into());
        }
        let sealed = SealedOffer { text: sdp_offer, ice_servers };
        let state = State::SeekingCaller { sealed, retried: false };
        let call = Call::new(caller.clone(), Some(wire_id), state, cx.now);
        let id = self.calls.insert(call);
        self.seek_caller(cx, id, caller);
    }

    /// INCOMING_CALL of which the call can be read and no more. The caller need not wait.
    pub(super) fn unreadable_offer(
        &mut self,
        cx: &Context<'_>,
        wire_id: String,
        caller: Option<ClientId>,
    ) {
        if let Some(id) = self.calls.by_wire_id(&wire_id) {
            return self.rings_again(id);
        }
        if self.calls.has_ended(&wire_id) {
            return self.repeat_end(&wire_id);
        }
        self.decline_unrecorded(wire_id, RejectReason::Declined);
        if let Some(caller) = caller {
            self.report_refused_offer(cx, caller, seal::Error::Malformed.into());
        }
    }

    /// The server rings for a call that this end has answered: it has lost the answer.
    fn rings_again(&mut self, id: CallId) {
        let answer = self.calls.find(id).and_then(|call| call.answer());
        if let Some(answer) = answer {
            self.sender.queue_short(answer);
        }
    }

    fn seek_caller(&mut self, cx: &mut Context<'_>, id: CallId, caller: ClientId) {
        if let Some(key) = self.keyring.listed_caller(&caller) {
            return self.caller_key(cx, id, key.map(Some));
        }
        self.request(cx, Outgoing::PkdLookup { client_id: caller }, Purpose::CallerKey(id));
    }

    /// The directory has answered who calls.
    pub(super) fn caller_key(
        &mut self,
        cx: &mut Context<'_>,
        id: CallId,
        key: Result<Option<DirectoryKey>, Error>,
    ) {
        match key.and_then(|key| key.ok_or(Error::NoKey)).and_then(|key| self.keyring.check(key)) {
            Ok(key) => self.open_offer(cx, id, key),
            Err(Error::KeyChanged(change)) => self.doubt(id, change),
            Err(why) => drop(self.end_call(cx, id, End::OfferRefused(why))),
        }
    }

    fn doubt(&mut self, id: CallId, change: Box<KeyChange>) {
        let Some(call) = self.calls.find(id) else { return };
        if let State::SeekingCaller { sealed, .. } = call.take_state() {
            let key = Box::new(change.present.clone());
            call.state = State::Doubtful { sealed, key };
            self.report(Event::KeyChanged { call: id, change });
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
        match self.keyring.open_offer(&key, &sealed.text, cx.wall) {
            Ok(incoming) => {
                let ice_servers = sealed.ice_servers;
                self.ring(cx, id, Opened { incoming, caller_key: key, ice_servers });
            }
            Err(seal::Error::PeerKeyChanged) if !retried => {
                let caller = call.peer.clone();
                call.state = State::SeekingCaller { sealed, retried: true };
                self.seek_caller(cx, id, caller);
            }
            Err(error) => drop(self.end_call(cx, id, End::OfferRefused(error.into()))),
        }
    }

    /// Rings, unless an own call to the same client is on its way: which of the two goes on, the
    /// server decides, and nobody is to answer the other one.
    pub(super) fn ring(&mut self, cx: &Context<'_>, id: CallId, opened: Opened) {
        let Some(peer) = self.calls.find(id).map(|call| call.peer.clone()) else { return };
        if self.registration.dialect() == Dialect::Two && self.calls.calls_out_to(&peer) {
            if let Some(call) = self.calls.find(id) {
                call.state = State::HeldForGlare(Box::new(opened));
            }
            return;
        }
        let Opened { incoming, caller_key, ice_servers } = opened;
        let first_contact = !self.keyring.knows(caller_key.client_id());
        let fingerprint = caller_key.fingerprint();
        let replaces = self.calls.replaced_by(&peer, fingerprint, incoming.made_at(), cx.now);
        let Some(call) = self.calls.find(id) else { return };
        let offer = incoming.sdp().to_owned();
        let wire_id = call.wire_id.clone();
        let (incoming, caller_key) = (Box::new(incoming), Box::new(caller_key));
        call.state = State::Ringing { incoming, caller_key };
        if let (Some(call_id), Dialect::Two) = (wire_id, self.registration.dialect()) {
            self.sender.queue_short(Outgoing::CallRinging { call_id });
        }
        self.report(Event::Incoming {
            call: id,
            caller: peer,
            offer,
            ice_servers,
            fingerprint,
            first_contact,
            replaces,
        });
    }

    /// Rings for calls that were held back for own ones, which are answered or over by now.
    pub(super) fn ring_held(&mut self, cx: &Context<'_>) {
        while let Some(id) = self.calls.any_released() {
            let Some(call) = self.calls.find(id) else { return };
            let State::HeldForGlare(opened) = call.take_state() else { return };
            self.ring(cx, id, *opened);
        }
    }

    pub(super) fn report_refused_offer(&mut self, cx: &Context<'_>, caller: ClientId, why: Error) {
        if matches!(why, Error::Seal(seal::Error::OwnKeyChanged)) {
            self.publish_key_again(cx);
        }
        self.report(Event::OfferRefused { caller, why });
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
        if !matches!(call.state, State::Ringing { .. }) {
            return Err(Error::WrongMoment);
        }
        if self.calls.is_full() {
            return Err(Error::TooMuchWaits);
        }
        let Some(Call { state: State::Ringing { caller_key, .. }, .. }) = self.calls.find(id)
        else {
            return Err(Error::WrongMoment);
        };
        // Since it rang, another call may have made another key the one remembered.
        let key = DirectoryKey::clone(caller_key);
        self.keyring.check(key)?;
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        let State::Ringing { incoming, caller_key } = call.take_state() else {
            return Err(Error::WrongMoment);
        };
        let made_at = incoming.made_at();
        let sealed = incoming.answer(&wire_id, answer, &mut cx.rng);
        let queued = sealed.map_err(Error::Seal).and_then(|(established, sdp_answer)| {
            let peer = caller_key.fingerprint();
            let answered = Answered::callee(established, peer, made_at, sdp_answer.clone());
            self.sender
                .queue(Outgoing::CallAccept { call_id: wire_id, sdp_answer })
                .map(|_| answered)
        });
        match queued {
            Ok(answered) => self.answered(id, answered, &caller_key),
            Err(error) => {
                // Its keys are used up: it cannot be answered any more.
                self.end_call(cx, id, End::Declined(RejectReason::Declined));
                return Err(error);
            }
        }
        Ok(())
    }

    fn answered(&mut self, id: CallId, answered: Answered, caller_key: &DirectoryKey) {
        let Some(call) = self.calls.find(id) else { return };
        let early = call.set_answered(answered);
        self.remember(caller_key);
        self.send_early_candidates(id, &early);
    }
}
