//! The keys of a call, from the secrets of its offer and its answer.
//!
//! ```text
//! transcript = SHA-256( label │ answer's context │ answer )        (the context has the offer's hash)
//! secret     = exported from the offer (32) │ exported from the answer (32)
//! each key   = HKDF-SHA256( salt = transcript, ikm = secret, info = label )
//! ```
//!
//! The offer's part only the callee's directory key opens, the answer's part only the caller's
//! ephemeral key, which is gone by then: both are needed.

use aes_gcm::{Aes256Gcm, KeyInit as _};
use hkdf::Hkdf;
use securecall_identity::notation::{Digest, digest};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    Error, channel::DirectionKey, hpke_base::Exported, labels,
    short_authentication::AuthenticationSecret,
};

pub(crate) struct Schedule {
    /// For what the caller sends.
    pub(crate) caller: DirectionKey,
    /// For what the callee sends.
    pub(crate) callee: DirectionKey,
    pub(crate) authentication: AuthenticationSecret,
}

impl Schedule {
    pub(crate) fn new(
        answer_context: &[u8],
        answer: &[u8],
        offer_secret: &Exported,
        answer_secret: &Exported,
    ) -> Result<Self, Error> {
        let transcript = digest(labels::TRANSCRIPT, &[answer_context, answer]);
        let mut secret = Zeroizing::new([0; 64]);
        secret[..32].copy_from_slice(&**offer_secret);
        secret[32..].copy_from_slice(&**answer_secret);
        let keys = Hkdf::new(Some(&transcript), &*secret);
        Ok(Self {
            caller: direction(&keys, labels::CALLER_KEY, labels::CALLER_NONCE, transcript)?,
            callee: direction(&keys, labels::CALLEE_KEY, labels::CALLEE_NONCE, transcript)?,
            authentication: AuthenticationSecret(expand(&keys, labels::AUTHENTICATION_SECRET)?),
        })
    }
}

fn direction(
    keys: &Hkdf<Sha256>,
    key_label: &[u8],
    nonce_label: &[u8],
    transcript: Digest,
) -> Result<DirectionKey, Error> {
    let key = expand::<32>(keys, key_label)?;
    let nonce = expand(keys, nonce_label)?;
    Ok(DirectionKey { cipher: Aes256Gcm::new((&*key).into()), nonce, transcript })
}

fn expand<const BYTES: usize>(
    keys: &Hkdf<Sha256>,
    label: &[u8],
) -> Result<Zeroizing<[u8; BYTES]>, Error> {
    let mut output = Zeroizing::new([0; BYTES]);
    // It fails for outputs over 8160 bytes alone.
    keys.expand(label, &mut *output).map_err(|_| Error::KeyUnusable)?;
    Ok(output)
}
