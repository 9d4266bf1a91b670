//! The sealed offer, `sdpOffer` of CALL_INITIATE and INCOMING_CALL.
//!
//! ```text
//! front  = header (4) │ caller's record hash (32) │ callee's record hash (32)
//! fields = seconds since 1970 u64 │ commitment (32) │ ephemeral public key
//! text   = the SDP, with the fingerprint of the caller's DTLS certificate
//! ```
//!
//! Sealed to the callee's directory key, signed by the caller: see `envelope`.

use securecall_identity::notation::{Cursor, Digest, digest};

use crate::{
    Error, Suite,
    commitment::Commitment,
    context::{Parties, offer_header},
    header::HeaderBytes,
    hpke_base::KemPublicKey,
    labels,
};

/// The fields of an offer besides its SDP.
pub(crate) struct OfferFields {
    /// When it was made, in seconds since 1970.
    pub(crate) created: u64,
    pub(crate) commitment: Commitment,
    /// The key that the answer is sealed to.
    pub(crate) ephemeral: KemPublicKey,
}

impl OfferFields {
    pub(crate) const fn byte_length(suite: Suite) -> usize {
        8 + 32 + suite.public_key_bytes()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.created.to_be_bytes()[..], &self.commitment.0, self.ephemeral.as_bytes()].concat()
    }

    /// Returns `None` if the layout is another, or the key is not a public key of this suite.
    pub(crate) fn from_bytes(bytes: &[u8], suite: Suite) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        Some(Self {
            created: cursor.u64()?,
            commitment: Commitment(cursor.array()?),
            ephemeral: KemPublicKey::from_bytes(suite, cursor.rest())?,
        })
    }
}

/// The part of an offer that is not encrypted. It distinguishes a mix-up of keys from a forgery.
pub(crate) struct OfferFront {
    header: HeaderBytes,
    caller_record_hash: Digest,
    callee_record_hash: Digest,
}

impl OfferFront {
    pub(crate) fn new(parties: &Parties, suite: Suite) -> Self {
        Self {
            header: offer_header(suite).to_bytes(),
            caller_record_hash: parties.caller.record_hash,
            callee_record_hash: parties.callee.record_hash,
        }
    }

    /// Takes the front of a message. Returns `None` if it is shorter than a front.
    pub(crate) fn take(message: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            header: message.array()?,
            caller_record_hash: message.array()?,
            callee_record_hash: message.array()?,
        })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.header[..], &self.caller_record_hash, &self.callee_record_hash].concat()
    }

    /// Checks that the offer claims to be from the one party to the other, in this suite.
    ///
    /// The suite follows from both directory keys, so it comes last: a client that lists another
    /// suite than before has another directory key, and that is what its peer must learn.
    pub(crate) fn check(&self, parties: &Parties, suite: Suite) -> Result<(), Error> {
        offer_header(suite).check_kind(self.header)?;
        if self.caller_record_hash == parties.callee.record_hash {
            return Err(Error::Reflected);
        }
        if self.callee_record_hash != parties.callee.record_hash {
            return Err(Error::OwnKeyChanged);
        }
        if self.caller_record_hash != parties.caller.record_hash {
            return Err(Error::PeerKeyChanged);
        }
        offer_header(suite).check_suite(self.header)
    }

    /// Checks, without the caller's key, that an offer can be meant for us.
    pub(crate) fn check_callee(&self, callee_record_hash: &Digest) -> Result<(), Error> {
        // The suite is not looked at: it is known with the caller's key.
        offer_header(Suite::X25519).check_kind(self.header)?;
        match self.callee_record_hash == *callee_record_hash {
            true => Ok(()),
            false => Err(Error::OwnKeyChanged),
        }
    }
}

pub(crate) fn offer_hash(message: &[u8]) -> Digest {
    digest(labels::OFFER_HASH, &[message])
}
