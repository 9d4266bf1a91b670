//! The end that is called.

use std::time::SystemTime;

use rand_core::CryptoRng;
use securecall_identity::notation::{Cursor, Digest};

use crate::{
    DirectoryKey, Error, Established, Identity, Suite,
    answer::AnswerFront,
    armor,
    caller::unix_seconds,
    context::Parties,
    envelope::{Envelope, Opened},
    hpke_base::Exported,
    offer::{OfferFields, OfferFront, offer_hash},
    replay::{Made, SeenOffers},
    schedule::Schedule,
};

/// The standing of a caller: known to the program, or a stranger. Offers of strangers are counted
/// apart, so that no number of strangers can block callers that the program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The key is one that the program remembers.
    Known,
    /// Nothing is remembered about the caller.
    Stranger,
}

/// Somebody who can be called. Keep it for as long as the program runs: it remembers which offers
/// were here before.
pub struct Callee {
    identity: Identity,
    seen: SeenOffers,
}

/// A call that was offered to us, authentic and fresh. Keys are wiped when it is dropped.
pub struct Incoming {
    identity: Identity,
    parties: Parties,
    suite: Suite,
    fields: OfferFields,
    sdp: String,
    offer_hash: Digest,
    offer_secret: Exported,
}

impl Callee {
    /// The one with this identity.
    pub fn new(identity: &Identity) -> Self {
        Self { identity: identity.clone(), seen: SeenOffers::default() }
    }

    /// Looks at an offer as far as that goes without the caller's key: what is refused here is
    /// refused by [`Callee::open_offer`] too, and needs no look-up.
    ///
    /// # Errors
    /// [`Error::OwnKeyChanged`], [`Error::Malformed`], or not an offer.
    pub fn precheck_offer(&self, sdp_offer: &str) -> Result<(), Error> {
        let message = armor::decode(sdp_offer).ok_or(Error::Malformed)?;
        let front = OfferFront::take(&mut Cursor::new(&message)).ok_or(Error::Malformed)?;
        front.check_callee(self.identity.directory_key().record_hash())
    }

    /// Opens an offer, `sdpOffer` of INCOMING_CALL, from `caller`: the directory key of the
    /// `callerId` that came with it. `now` is the time of day.
    ///
    /// The server delivers a ringing call again after a reconnect. A program that still has the
    /// [`Incoming`] of that callId keeps it and does not open the offer again.
    ///
    /// # Errors
    /// [`Error::PeerKeyChanged`]: look the caller up again, and try once more.
    /// [`Error::OwnKeyChanged`]: the caller has an old key of ours and has to call again.
    /// Otherwise the offer was changed, delayed, repeated, meant for another client, or another
    /// one made it: do not let it ring.
    pub fn open_offer(
        &mut self,
        caller: &DirectoryKey,
        sdp_offer: &str,
        now: SystemTime,
    ) -> Result<Incoming, Error> {
        self.open_offer_of(Standing::Stranger, caller, sdp_offer, now)
    }

    /// As [`Callee::open_offer`], for a caller of this standing.
    ///
    /// # Errors
    /// The same.
    pub fn open_offer_of(
        &mut self,
        standing: Standing,
        caller: &DirectoryKey,
        sdp_offer: &str,
        now: SystemTime,
    ) -> Result<Incoming, Error> {
        let own_key = self.identity.directory_key();
        let parties = Parties::new(caller, own_key)?;
        let suite = Suite::best_of(caller, own_key);
        let message = armor::decode(sdp_offer).ok_or(Error::Malformed)?;
        let offer = self.open(caller, &parties, suite, &message)?;
        let fields = OfferFields::from_bytes(&offer.fields, suite).ok_or(Error::Content)?;
        let offer_hash = offer_hash(&message);
        let made = Made { by: caller.identity().to_bytes(), at: fields.created };
        self.seen.admit(offer_hash, made, standing, unix_seconds(now))?;
        Ok(Incoming {
            identity: self.identity.clone(),
            parties,
            suite,
            fields,
            sdp: offer.text,
            offer_hash,
            offer_secret: offer.exported,
        })
    }

    fn open(
        &self,
        caller: &DirectoryKey,
        parties: &Parties,
        suite: Suite,
        message: &[u8],
    ) -> Result<Opened, Error> {
        let mut cursor = Cursor::new(message);
        let front = OfferFront::take(&mut cursor).ok_or(Error::Malformed)?;
        front.check(parties, suite)?;
        let with = self.identity.kem_key(suite).ok_or(Error::KeyUnusable)?;
        let envelope =
            Envelope { front: &front.to_bytes(), context: &parties.offer_context(suite) };
        envelope.open(with, caller.identity(), OfferFields::byte_length(suite), cursor)
    }
}

impl Incoming {
    /// The caller's SDP.
    pub fn sdp(&self) -> &str {
        &self.sdp
    }

    /// When the caller made the offer, by its own clock, in seconds since 1970.
    pub const fn made_at(&self) -> u64 {
        self.fields.created
    }

    /// Seals the answer, `sdpAnswer` of CALL_ACCEPT, to the call of this id. It is the callId that
    /// came with the offer; the caller's end must have the same.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], [`Error::InvalidCallId`], [`Error::KeyUnusable`].
    pub fn answer(
        self,
        call_id: &str,
        sdp: &str,
        rng: &mut impl CryptoRng,
    ) -> Result<(Established, String), Error> {
        let context = self.parties.answer_context(self.suite, call_id, &self.offer_hash)?;
        let front = AnswerFront::new(self.suite, self.offer_hash).to_bytes();
        let (message, answer_secret) = Envelope { front: &front, context: &context }.seal(
            &self.fields.ephemeral,
            self.identity.signing(),
            &[],
            sdp,
            rng,
        )?;
        let keys = Schedule::new(&context, &message, &self.offer_secret, &answer_secret)?;
        let established = Established::callee(self.suite, keys, self.fields.commitment);
        Ok((established, armor::encode(&message)))
    }
}
