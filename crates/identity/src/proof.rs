//! Proofs: that a client has the key of a chain's head, now, for one server.
//!
//! ```text
//! transcript = length u8 │ origin │ length u8 │ id │ epoch u32 │ sequence u8 │ head hash (32)
//!            │ server nonce (32) │ client nonce (32)
//! proof      = client nonce (32) │ Ed25519( identity key of the head, label │ transcript ) (64)
//! ```
//!
//! The label is that of a challenge or that of a resumption: a proof of the one is not valid for
//! the other. The server's nonce is used once, and consumed before the proof is verified; the
//! server must ensure that. Because of the client's nonce a server cannot make it sign bytes that
//! the server chose whole.

use crate::{
    Head, Id, IdentityKey, Origin, Position, PublicKey, Refusal, armor, labels,
    public_key::SIGNATURE_BYTES,
};

/// The length of a nonce, in bytes.
const NONCE_BYTES: usize = 32;
/// The length of a proof, in bytes.
pub const PROOF_BYTES: usize = NONCE_BYTES + SIGNATURE_BYTES;

/// The origin of the server's nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// From a CHALLENGE.
    Challenge,
    /// From the REGISTERED of the connection that is taken up again.
    Resume,
}

/// The subject of a proof. Two of them are the same only if every field is.
#[derive(Clone, PartialEq, Eq)]
pub struct Demand<'a> {
    /// The origin of the nonce.
    pub purpose: Purpose,
    /// The server, as it is configured, or as the client dialled it.
    pub origin: &'a Origin,
    /// The id to be proved.
    pub id: &'a Id,
    /// The head of the id's chain.
    pub head: Position,
    /// 32 random bytes of the server, used once.
    pub nonce: &'a [u8; 32],
}

/// A proof of possession of an identity key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proof([u8; PROOF_BYTES]);

impl Proof {
    /// Makes a proof. `client_nonce` is 32 random bytes of the client, new for each.
    pub fn sign(demand: &Demand<'_>, key: &IdentityKey, client_nonce: &[u8; 32]) -> Self {
        let signature = key.sign(demand.label(), &demand.transcript(client_nonce));
        let mut proof = [0; PROOF_BYTES];
        proof[..NONCE_BYTES].copy_from_slice(client_nonce);
        proof[NONCE_BYTES..].copy_from_slice(&signature);
        Self(proof)
    }

    /// Takes a proof that came from outside.
    ///
    /// # Errors
    /// [`Refusal::ProofMalformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        bytes.try_into().map(Self).map_err(|_| Refusal::ProofMalformed)
    }

    /// Takes a proof from a message.
    ///
    /// # Errors
    /// [`Refusal::TextTooLong`], [`Refusal::TextNotBase64Url`], [`Refusal::ProofMalformed`].
    pub fn from_text(text: &str) -> Result<Self, Refusal> {
        Self::parse(&armor::decode_bounded(text, PROOF_BYTES)?)
    }

    /// The proof as it stands in messages: base64url without padding.
    pub fn to_text(&self) -> String {
        armor::encode(&self.0)
    }

    /// The proof as bytes.
    pub const fn as_bytes(&self) -> &[u8; PROOF_BYTES] {
        &self.0
    }

    /// Verifies the proof with the key of the demanded head.
    ///
    /// # Errors
    /// Those of a signature.
    pub fn verify(&self, demand: &Demand<'_>, key: &PublicKey) -> Result<(), Refusal> {
        let malformed = Refusal::ProofMalformed;
        let (nonce, signature) = self.0.split_first_chunk().ok_or(malformed)?;
        let signature = signature.try_into().map_err(|_| malformed)?;
        key.verify(demand.label(), &demand.transcript(nonce), signature)
    }
}

impl<'a> Demand<'a> {
    /// The demand to the owner of this head.
    pub fn of_head(
        purpose: Purpose,
        origin: &'a Origin,
        head: &'a Head,
        nonce: &'a [u8; 32],
    ) -> Self {
        Self { purpose, origin, id: head.id(), head: head.position(), nonce }
    }

    const fn label(&self) -> &'static [u8] {
        match self.purpose {
            Purpose::Challenge => labels::PROOF,
            Purpose::Resume => labels::RESUME_PROOF,
        }
    }

    /// Every field has a length, so no two demands have one transcript.
    fn transcript(&self, client_nonce: &[u8; NONCE_BYTES]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 + 255 + 64 + 37 + 2 * NONCE_BYTES);
        for text in [self.origin.as_str(), self.id.as_str()] {
            // An origin has at most 255 bytes, an id 64.
            bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&self.head.epoch.to_be_bytes());
        bytes.push(self.head.sequence);
        bytes.extend_from_slice(&self.head.hash);
        bytes.extend_from_slice(self.nonce);
        bytes.extend_from_slice(client_nonce);
        bytes
    }
}
