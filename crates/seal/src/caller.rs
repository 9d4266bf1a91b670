//! The end that calls.

use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::VerifyingKey;
use rand_core::CryptoRng;
use securecall_identity::notation::{Cursor, Digest};

use crate::{
    DirectoryKey, Error, Established, Identity, Suite,
    answer::AnswerFront,
    armor,
    commitment::Opening,
    context::Parties,
    envelope::Envelope,
    hpke_base::{Exported, KemPrivateKey},
    offer::{OfferFields, OfferFront, offer_hash},
    schedule::Schedule,
};

/// Somebody about to call.
pub struct Caller<'a> {
    identity: &'a Identity,
    callee: &'a DirectoryKey,
}

/// A caller between offer and answer. Its keys are wiped when it is dropped.
pub struct Offered {
    parties: Parties,
    suite: Suite,
    callee_identity: VerifyingKey,
    ephemeral: KemPrivateKey,
    opening: Opening,
    offer_hash: Digest,
    offer_secret: Exported,
}

impl<'a> Caller<'a> {
    /// The one with this identity calls the one with that key.
    pub const fn new(identity: &'a Identity, callee: &'a DirectoryKey) -> Self {
        Self { identity, callee }
    }

    /// Seals an offer: `sdpOffer` of CALL_INITIATE. `now` is the time of day; the callee refuses
    /// an offer whose time is more than [`OFFER_AGE_MAX`](crate::OFFER_AGE_MAX) off.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], [`Error::SelfCall`], [`Error::KeyUnusable`].
    pub fn offer(
        self,
        sdp: &str,
        now: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<(Offered, String), Error> {
        let own_key = self.identity.directory_key();
        let parties = Parties::new(own_key, self.callee)?;
        let suite = Suite::best_of(own_key, self.callee);
        let to = self.callee.kem_key(suite).ok_or(Error::KeyUnusable)?;
        let ephemeral = KemPrivateKey::generate(suite, rng);
        let opening = Opening::generate(rng);
        let fields = OfferFields {
            created: unix_seconds(now),
            commitment: opening.commitment(),
            ephemeral: ephemeral.public_key()?,
        };
        let envelope = Envelope {
            front: &OfferFront::new(&parties, suite).to_bytes(),
            context: &parties.offer_context(suite),
        };
        let (message, offer_secret) =
            envelope.seal(to, self.identity.signing(), &fields.to_bytes(), sdp, rng)?;
        let offered = Offered {
            parties,
            suite,
            callee_identity: *self.callee.identity(),
            ephemeral,
            opening,
            offer_hash: offer_hash(&message),
            offer_secret,
        };
        Ok((offered, armor::encode(&message)))
    }
}

impl Offered {
    /// Opens the answer, `sdpAnswer` of CALL_ACCEPTED, to the call of this id, and gives the
    /// established call with the callee's SDP.
    ///
    /// # Errors
    /// The answer was changed, belongs to another offer or call, or another one made it. A call
    /// has one answer, so such a call is over.
    pub fn accept(self, call_id: &str, sdp_answer: &str) -> Result<(Established, String), Error> {
        let context = self.parties.answer_context(self.suite, call_id, &self.offer_hash)?;
        let message = armor::decode(sdp_answer).ok_or(Error::Malformed)?;
        let mut cursor = Cursor::new(&message);
        let front = AnswerFront::take(&mut cursor).ok_or(Error::Malformed)?;
        front.check(self.suite, &self.offer_hash)?;
        let answer = Envelope { front: &front.to_bytes(), context: &context }.open(
            &self.ephemeral,
            &self.callee_identity,
            0,
            cursor,
        )?;
        let keys = Schedule::new(&context, &message, &self.offer_secret, &answer.exported)?;
        Ok((Established::caller(self.suite, keys, self.opening)?, answer.text))
    }
}

/// Zero for a clock before 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
