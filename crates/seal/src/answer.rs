//! The sealed answer, `sdpAnswer` of CALL_ACCEPT and CALL_ACCEPTED.
//!
//! ```text
//! front  = header (4) │ offer hash (32)
//! fields = empty
//! text   = the SDP, with the fingerprint of the callee's DTLS certificate
//! ```
//!
//! Sealed to the ephemeral key of the offer, not to the caller's directory key, so that it stays
//! closed to whoever gets hold of the caller's keys later. Its encapsulated key is the callee's
//! ephemeral key. Signed by the callee: see `envelope`.

use securecall_identity::notation::{Cursor, Digest};

use crate::{Error, Suite, context::answer_header, header::HeaderBytes};

/// The part of an answer that is not encrypted.
pub(crate) struct AnswerFront {
    header: HeaderBytes,
    offer_hash: Digest,
}

impl AnswerFront {
    pub(crate) const fn new(suite: Suite, offer_hash: Digest) -> Self {
        Self { header: answer_header(suite).to_bytes(), offer_hash }
    }

    /// Takes the front of a message. Returns `None` if it is shorter than a front.
    pub(crate) fn take(message: &mut Cursor<'_>) -> Option<Self> {
        Some(Self { header: message.array()?, offer_hash: message.array()? })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.header[..], &self.offer_hash].concat()
    }

    /// Checks that it claims to answer this offer, in this suite. Another offer may have another
    /// suite.
    pub(crate) fn check(&self, suite: Suite, offer_hash: &Digest) -> Result<(), Error> {
        answer_header(suite).check_kind(self.header)?;
        if self.offer_hash != *offer_hash {
            return Err(Error::OtherOffer);
        }
        answer_header(suite).check_suite(self.header)
    }
}
