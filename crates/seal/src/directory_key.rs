//! A client's public keys, as one string of the directory.
//!
//! ```text
//! version = 1 │ id length u8 │ id │ Ed25519 key (32)
//!             │ count u8 │ count × ( suite u8 │ length u16 │ public key )
//!             │ signature (64) = Ed25519( label │ all that stands before )
//! ```
//!
//! The suites ascend, and suite 1 is there. An unknown suite is skipped, so a client can list one
//! before others know it; the signature covers it all the same. The signature proves that the
//! holder of the identity chose these keys, for this id: nobody can list another's keys as their
//! own, nor leave out a suite.

use ed25519_dalek::{SIGNATURE_LENGTH, Signature, Signer as _, SigningKey, VerifyingKey};
use securecall_identity::notation::{Cursor, Digest, digest};

use crate::{Error, Fingerprint, Suite, armor, header::VERSION, hpke_base::KemPublicKey, labels};

/// The longest directory key, in characters: what a signaling server takes.
const TEXT_BYTES_MAX: usize = 4096;

/// A client's public keys, verified to be signed by the identity among them.
///
/// That makes the keys belong together; whose they are, the directory only claims. Remember the
/// key of each peer, compare [`DirectoryKey::fingerprint`], and let people compare
/// [`ShortAuthenticationString`](crate::ShortAuthenticationString)s.
#[derive(Clone)]
pub struct DirectoryKey {
    client_id: String,
    identity: VerifyingKey,
    kem_keys: Vec<KemPublicKey>,
    text: String,
    record_hash: Digest,
}

impl DirectoryKey {
    /// Takes what the directory answered for `client_id`.
    ///
    /// # Errors
    /// Anything but one whole directory key, made for this id and signed by its identity
    /// (`verify_strict`: no weak keys, one signature per message and nonce).
    pub fn parse(text: &str, client_id: &str) -> Result<Self, Error> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Error::KeyMalformed);
        }
        let record = armor::decode(text).ok_or(Error::KeyMalformed)?;
        let key = Self::verify(&record)?;
        if key.client_id == client_id { Ok(key) } else { Err(Error::KeyOfAnotherClient) }
    }

    /// The string that belongs into the directory.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id of the client whose keys these are.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The fingerprint of its identity, for people to compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.identity)
    }

    /// The hash of the whole record (SHA-256 over a label and the bytes), which offers and
    /// answers are bound to. Two keys with one hash are the same.
    pub const fn record_hash(&self) -> &[u8; 32] {
        &self.record_hash
    }

    /// Returns true if the client can be called with this suite.
    pub fn lists(&self, suite: Suite) -> bool {
        self.kem_key(suite).is_some()
    }

    pub(crate) fn kem_key(&self, suite: Suite) -> Option<&KemPublicKey> {
        self.kem_keys.iter().find(|key| key.suite() == suite)
    }

    pub(crate) const fn identity(&self) -> &VerifyingKey {
        &self.identity
    }

    /// Makes the record of an identity. The KEM keys are in the order of their suites.
    pub(crate) fn sign(
        client_id: &str,
        signing: &SigningKey,
        kem_keys: Vec<KemPublicKey>,
    ) -> Result<Self, Error> {
        check_client_id(client_id)?;
        let mut record = unsigned_record(client_id, signing.verifying_key().as_bytes(), &kem_keys);
        let signature = signing.sign(&[labels::DIRECTORY_KEY, &record].concat());
        record.extend_from_slice(&signature.to_bytes());
        Ok(Self::of_record(&record, client_id, signing.verifying_key(), kem_keys))
    }

    fn verify(record: &[u8]) -> Result<Self, Error> {
        let (signed, signature) =
            record.split_last_chunk::<SIGNATURE_LENGTH>().ok_or(Error::KeyMalformed)?;
        let mut fields = Cursor::new(signed);
        let version = fields.u8().ok_or(Error::KeyMalformed)?;
        if version != VERSION {
            return Err(Error::KeyVersion(version));
        }
        let client_id = take_client_id(&mut fields)?;
        let identity = take_identity(&mut fields)?;
        identity
            .verify_strict(
                &[labels::DIRECTORY_KEY, signed].concat(),
                &Signature::from_bytes(signature),
            )
            .map_err(|_| Error::KeyNotSelfSigned)?;
        let kem_keys = take_kem_keys(fields).ok_or(Error::KeyMalformed)?;
        Ok(Self::of_record(record, client_id, identity, kem_keys))
    }

    fn of_record(
        record: &[u8],
        client_id: &str,
        identity: VerifyingKey,
        kem_keys: Vec<KemPublicKey>,
    ) -> Self {
        Self {
            client_id: client_id.to_owned(),
            identity,
            kem_keys,
            text: armor::encode(record),
            record_hash: digest(labels::RECORD_HASH, &[record]),
        }
    }
}

impl PartialEq for DirectoryKey {
    fn eq(&self, other: &Self) -> bool {
        self.record_hash == other.record_hash
    }
}

impl Eq for DirectoryKey {}

fn check_client_id(client_id: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let valid = (1..=64).contains(&client_id.len()) && client_id.bytes().all(allowed);
    valid.then_some(()).ok_or(Error::InvalidClientId)
}

fn unsigned_record(client_id: &str, identity: &[u8], kem_keys: &[KemPublicKey]) -> Vec<u8> {
    // Neither number is over its type: ids have at most 64 characters, and there are two suites.
    let mut record = vec![VERSION, u8::try_from(client_id.len()).unwrap_or(u8::MAX)];
    record.extend_from_slice(client_id.as_bytes());
    record.extend_from_slice(identity);
    record.push(u8::try_from(kem_keys.len()).unwrap_or(u8::MAX));
    for key in kem_keys {
        record.push(key.suite().wire());
        let length = u16::try_from(key.as_bytes().len()).unwrap_or(u16::MAX);
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(key.as_bytes());
    }
    record
}

fn take_client_id<'a>(fields: &mut Cursor<'a>) -> Result<&'a str, Error> {
    let length = fields.u8().ok_or(Error::KeyMalformed)?;
    let bytes = fields.take(usize::from(length)).ok_or(Error::KeyMalformed)?;
    let client_id = std::str::from_utf8(bytes).map_err(|_| Error::KeyMalformed)?;
    check_client_id(client_id).map_err(|_| Error::KeyMalformed)?;
    Ok(client_id)
}

fn take_identity(fields: &mut Cursor<'_>) -> Result<VerifyingKey, Error> {
    let bytes = fields.array().ok_or(Error::KeyMalformed)?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| Error::KeyMalformed)
}

/// Takes the keys of the known suites. Returns `None` if it is not a list of keys, or suite 1 is
/// missing.
fn take_kem_keys(mut fields: Cursor<'_>) -> Option<Vec<KemPublicKey>> {
    let mut kem_keys = Vec::new();
    let mut previous_suite = 0;
    for _ in 0..fields.u8()? {
        let suite = fields.u8()?;
        let length = fields.u16()?;
        let bytes = fields.take(usize::from(length))?;
        if suite <= previous_suite {
            return None;
        }
        previous_suite = suite;
        if let Some(known) = Suite::from_wire(suite) {
            kem_keys.push(KemPublicKey::from_bytes(known, bytes)?);
        }
    }
    let complete = fields.rest().is_empty() && kem_keys.first()?.suite() == Suite::X25519;
    complete.then_some(kem_keys)
}
