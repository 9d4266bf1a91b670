//! Envelopes of offers and answers: signed by the sender, then sealed to one key.
//!
//! ```text
//! front │ encapsulated key │ AES-256-GCM( fields │ length u32 │ text │ signature │ padding )
//!
//! signature = Ed25519( label │ context │ encapsulated key │ fields │ length u32 │ text )
//! ```
//!
//! The context names both ends, both directory keys and the call, and is the `info` of HPKE too.
//! The signature lies inside: a relay of the message gets no proof of its author. It covers the
//! encapsulated key, so it is invalid in any other envelope.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use securecall_identity::notation::Cursor;
use zeroize::Zeroizing;

use crate::{
    Error, body,
    hpke_base::{Exported, KemPrivateKey, KemPublicKey},
    labels,
};

/// The context that an envelope is bound to, and the front before it. The context covers all of the
/// front.
pub(crate) struct Envelope<'a> {
    pub(crate) front: &'a [u8],
    pub(crate) context: &'a [u8],
}

pub(crate) struct Opened {
    pub(crate) fields: Vec<u8>,
    pub(crate) text: String,
    pub(crate) exported: Exported,
}

impl Envelope<'_> {
    /// The whole message, and the secret that both ends have from it.
    pub(crate) fn seal(
        &self,
        to: &KemPublicKey,
        signer: &SigningKey,
        fields: &[u8],
        text: &str,
        rng: &mut impl CryptoRng,
    ) -> Result<(Vec<u8>, Exported), Error> {
        body::check_text(text)?;
        let sealed = to.seal(self.context, rng, |encapsulated_key| {
            self.signed_body(signer, encapsulated_key, fields, text)
        })?;
        let message = [self.front, &sealed.encapsulated_key, &sealed.ciphertext].concat();
        Ok((message, sealed.exported))
    }

    fn signed_body(
        &self,
        signer: &SigningKey,
        encapsulated_key: &[u8],
        fields: &[u8],
        text: &str,
    ) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(body::with_room_for(text));
        body.extend_from_slice(fields);
        body::put_text(&mut body, text);
        let signature = signer.sign(&self.signed_bytes(encapsulated_key, &body));
        body.extend_from_slice(&signature.to_bytes());
        body::pad(&mut body);
        body
    }

    fn signed_bytes(&self, encapsulated_key: &[u8], fields_and_text: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(
            [labels::SIGNATURE, self.context, encapsulated_key, fields_and_text].concat(),
        )
    }

    /// Opens what stands behind the front.
    pub(crate) fn open(
        &self,
        with: &KemPrivateKey,
        signer: &VerifyingKey,
        fields_bytes: usize,
        mut behind_front: Cursor<'_>,
    ) -> Result<Opened, Error> {
        let encapsulated_key =
            behind_front.take(with.suite().encapsulated_key_bytes()).ok_or(Error::Malformed)?;
        let opened = with.open(encapsulated_key, self.context, behind_front.rest())?;
        let (fields, text) = self.verify(signer, encapsulated_key, fields_bytes, &opened.body)?;
        Ok(Opened { fields, text, exported: opened.exported })
    }

    /// The fields and the text of a body, if the signer signed it.
    fn verify(
        &self,
        signer: &VerifyingKey,
        encapsulated_key: &[u8],
        fields_bytes: usize,
        body: &[u8],
    ) -> Result<(Vec<u8>, String), Error> {
        // Anybody can seal to a public key: up to the signature, a wrong layout proves nothing.
        let parts = Parts::of(body, fields_bytes).ok_or(Error::NotAuthentic)?;
        signer
            .verify_strict(&self.signed_bytes(encapsulated_key, parts.signed), &parts.signature)
            .map_err(|_| Error::NotAuthentic)?;
        body::check_padding(body.len(), parts.padding)?;
        Ok((parts.fields.to_vec(), body::as_text(parts.text)?))
    }
}

/// A body, taken apart.
struct Parts<'a> {
    /// The fields and the text, with its length.
    signed: &'a [u8],
    fields: &'a [u8],
    text: &'a [u8],
    signature: Signature,
    padding: Cursor<'a>,
}

impl<'a> Parts<'a> {
    fn of(body: &'a [u8], fields_bytes: usize) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let fields = cursor.take(fields_bytes)?;
        let text = body::take_text(&mut cursor)?;
        let signed = &body[..body.len() - cursor.rest().len()];
        let signature = Signature::from_bytes(&cursor.array()?);
        Some(Self { signed, fields, text, signature, padding: cursor })
    }
}
