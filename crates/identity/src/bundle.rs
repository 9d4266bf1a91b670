//! Bundles: the KEM keys that an identity can be called with, signed by the key of its chain's head.
//!
//! ```text
//! unsigned = 1 u8 version │ 1 u8 algorithm │ length u8 │ id │ number u32 │ head hash (32)
//!          │ count u8 │ count × ( suite u8 │ length u16 │ public key )
//!          │ count u8 │ count × ( type u8 │ length u16 │ bytes )        extensions
//! bundle   = unsigned │ Ed25519( identity key of the head, label │ unsigned ) (64)
//! record hash = SHA-256( label │ unsigned )
//! ```
//!
//! Suites and extensions ascend; unknown ones are skipped, and signed all the same. A list of
//! devices will be an extension. The head's hash stands inside, so whatever is bound to the record
//! hash is bound to the chain as well.

use crate::{
    Head, Id, IdentityKey, Refusal, armor,
    kem_key::{SUITE_X25519, check_kem_key},
    labels,
    link::{ED25519_SHA256, VERSION},
    notation::{Cursor, Digest, digest},
    public_key::SIGNATURE_BYTES,
};

/// The longest bundle, in bytes: 4,096 characters, which a directory takes.
pub const BUNDLE_BYTES_MAX: usize = 3072;

/// The KEM keys of an identity, verified against the head of its chain.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    bytes: Box<[u8]>,
    number: u32,
    head_hash: Digest,
    kem_keys: Vec<KemKey>,
    record_hash: Digest,
}

/// A public key of a suite that is known.
#[derive(Clone, PartialEq, Eq)]
struct KemKey {
    suite: u8,
    bytes: Box<[u8]>,
}

/// A client's record of the newest bundle of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleMark {
    /// The head that it was made for.
    pub head_hash: [u8; 32],
    /// Counts the bundles under this head.
    pub number: u32,
    /// The hash of the bundle without its signature.
    pub record_hash: [u8; 32],
}

/// The fields of a bundle, as they stand there.
struct Fields<'a> {
    id: &'a [u8],
    number: u32,
    head_hash: Digest,
    kem_keys: Vec<(u8, &'a [u8])>,
}

impl Bundle {
    /// Makes the bundle of these KEM keys, in the order of their suites. `number` is higher than
    /// that of every earlier bundle under this head.
    ///
    /// # Errors
    /// As [`Bundle::parse`].
    pub fn sign(
        head: &Head,
        key: &IdentityKey,
        number: u32,
        kem_keys: &[(u8, &[u8])],
    ) -> Result<Self, Refusal> {
        let mut bytes = unsigned(head.id(), number, &head.position().hash, kem_keys);
        let signature = key.sign(labels::BUNDLE, &bytes);
        bytes.extend_from_slice(&signature);
        Self::parse(&bytes, head)
    }

    /// Takes a bundle that came from outside, for this head.
    ///
    /// # Errors
    /// In this order: [`Refusal::VersionUnknown`], [`Refusal::AlgorithmUnknown`],
    /// [`Refusal::BundleMalformed`], [`Refusal::OtherId`], [`Refusal::HeadUnbound`],
    /// [`Refusal::OtherHead`], those of a signature, [`Refusal::SuiteMissing`], those of
    /// [`check_kem_key`] for each key.
    pub fn parse(bytes: &[u8], head: &Head) -> Result<Self, Refusal> {
        check_version(bytes)?;
        let (signed, signature) = split_signature(bytes).ok_or(Refusal::BundleMalformed)?;
        let fields = Fields::take(Cursor::new(&signed[2..])).ok_or(Refusal::BundleMalformed)?;
        if fields.id != head.id().as_str().as_bytes() {
            return Err(Refusal::OtherId);
        }
        let key = head.identity_key().ok_or(Refusal::HeadUnbound)?;
        if fields.head_hash != head.position().hash {
            return Err(Refusal::OtherHead);
        }
        key.verify(labels::BUNDLE, signed, signature)?;
        Ok(Self {
            bytes: bytes.into(),
            number: fields.number,
            head_hash: fields.head_hash,
            kem_keys: checked(&fields.kem_keys)?,
            record_hash: digest(labels::RECORD_HASH, &[signed]),
        })
    }

    /// Takes a bundle from a message.
    ///
    /// # Errors
    /// [`Refusal::TextTooLong`], [`Refusal::TextNotBase64Url`], and as [`Bundle::parse`].
    pub fn from_text(text: &str, head: &Head) -> Result<Self, Refusal> {
        Self::parse(&armor::decode_bounded(text, BUNDLE_BYTES_MAX)?, head)
    }

    /// The bundle as it stands in messages: base64url without padding.
    pub fn to_text(&self) -> String {
        armor::encode(&self.bytes)
    }

    /// The bundle as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The public key of a known suite. `None` if it is not listed.
    pub fn kem_key(&self, suite: u8) -> Option<&[u8]> {
        self.kem_keys.iter().find(|key| key.suite == suite).map(|key| &*key.bytes)
    }

    /// The hash that sealing binds each message to: over the bundle, and through it over the chain.
    pub const fn record_hash(&self) -> &[u8; 32] {
        &self.record_hash
    }

    /// The record to keep, by which the next bundle is judged.
    pub const fn mark(&self) -> BundleMark {
        BundleMark { head_hash: self.head_hash, number: self.number, record_hash: self.record_hash }
    }
}

impl BundleMark {
    /// Judges the bundle that came after this one. Under another head, numbers begin anew.
    ///
    /// # Errors
    /// [`Refusal::BundleRolledBack`], [`Refusal::BundleForked`].
    pub fn check_next(&self, next: &Self) -> Result<(), Refusal> {
        if next.head_hash != self.head_hash || next.number > self.number {
            return Ok(());
        }
        if next.number < self.number {
            return Err(Refusal::BundleRolledBack);
        }
        if next.record_hash == self.record_hash { Ok(()) } else { Err(Refusal::BundleForked) }
    }
}

fn unsigned(id: &Id, number: u32, head_hash: &Digest, kem_keys: &[(u8, &[u8])]) -> Vec<u8> {
    // All lengths fit their types; a caller's wrong key is found when this is parsed.
    let byte = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
    let mut bytes = vec![VERSION, ED25519_SHA256, byte(id.as_str().len())];
    bytes.extend_from_slice(id.as_str().as_bytes());
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(head_hash);
    bytes.push(byte(kem_keys.len()));
    for (suite, key) in kem_keys {
        bytes.push(*suite);
        bytes.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(key);
    }
    // No extension is defined yet.
    bytes.push(0);
    bytes
}

fn check_version(bytes: &[u8]) -> Result<(), Refusal> {
    match bytes {
        [VERSION, ED25519_SHA256, ..] => Ok(()),
        [VERSION, _, ..] => Err(Refusal::AlgorithmUnknown),
        [_, _, ..] => Err(Refusal::VersionUnknown),
        _ => Err(Refusal::BundleMalformed),
    }
}

fn split_signature(bytes: &[u8]) -> Option<(&[u8], &[u8; SIGNATURE_BYTES])> {
    let (signed, signature) = bytes.split_last_chunk()?;
    (bytes.len() <= BUNDLE_BYTES_MAX && signed.len() > 2).then_some((signed, signature))
}

impl<'a> Fields<'a> {
    fn take(mut fields: Cursor<'a>) -> Option<Self> {
        let id = fields.short_text()?;
        let number = fields.u32()?;
        let head_hash = fields.array()?;
        let kem_keys = take_ascending(&mut fields)?;
        take_ascending(&mut fields)?;
        fields.end()?;
        Some(Self { id, number, head_hash, kem_keys })
    }
}

/// Entries with a number and a length. `None` if they are cut off or do not ascend.
fn take_ascending<'a>(fields: &mut Cursor<'a>) -> Option<Vec<(u8, &'a [u8])>> {
    let count = fields.u8()?;
    let mut entries: Vec<(u8, &[u8])> = Vec::new();
    for _ in 0..count {
        let number = fields.u8()?;
        let length = fields.u16()?;
        let ascends = entries.last().is_none_or(|(last, _)| *last < number);
        entries.push((number, fields.take(usize::from(length)).filter(|_| ascends)?));
    }
    Some(entries)
}

/// The keys of the suites that are known, each of them valid.
fn checked(listed: &[(u8, &[u8])]) -> Result<Vec<KemKey>, Refusal> {
    if !listed.iter().any(|(suite, _)| *suite == SUITE_X25519) {
        return Err(Refusal::SuiteMissing);
    }
    let mut keys = Vec::new();
    for &(suite, key) in listed {
        if check_kem_key(suite, key)? {
            keys.push(KemKey { suite, bytes: key.into() });
        }
    }
    Ok(keys)
}
