//! HPKE in base mode (RFC 9180 section 5.1.1), for each suite: one secret agreed on, one text
//! sealed, one secret exported.
//!
//! The mode that authenticates the sender by its Diffie–Hellman key is not used: X-Wing has no
//! such mode, and whoever steals the recipient's key could forge senders in it. Signatures do
//! that job here.

use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable,
    aead::AesGcm256,
    kdf::HkdfSha256,
    kem::{X25519HkdfSha256, XWing},
    setup_receiver, setup_sender_with_rng,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{Error, Suite, labels};

/// A secret that both ends export from the context (RFC 9180 section 5.3).
pub(crate) type Exported = Zeroizing<[u8; 32]>;

/// A public key that was found to be one of its suite.
#[derive(Clone)]
pub(crate) struct KemPublicKey {
    suite: Suite,
    bytes: Vec<u8>,
}

/// A private key: 32 random bytes in every suite.
#[derive(Clone)]
pub(crate) struct KemPrivateKey {
    suite: Suite,
    bytes: Zeroizing<[u8; 32]>,
}

/// The output of [`KemPublicKey::seal`].
pub(crate) struct Sealed {
    pub(crate) encapsulated_key: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) exported: Exported,
}

/// The output of [`KemPrivateKey::open`].
pub(crate) struct Opened {
    pub(crate) body: Zeroizing<Vec<u8>>,
    pub(crate) exported: Exported,
}

impl KemPublicKey {
    /// Returns `None` if it is not a public key of this suite.
    pub(crate) fn from_bytes(suite: Suite, bytes: &[u8]) -> Option<Self> {
        let valid = match suite {
            Suite::X25519 => public_key::<X25519HkdfSha256>(bytes).is_ok(),
            Suite::XWing => public_key::<XWing>(bytes).is_ok(),
        };
        valid.then(|| Self { suite, bytes: bytes.to_vec() })
    }

    pub(crate) const fn suite(&self) -> Suite {
        self.suite
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Seals the body, bound to `context`. The body may depend on the encapsulated key.
    pub(crate) fn seal(
        &self,
        context: &[u8],
        rng: &mut impl CryptoRng,
        body: impl FnOnce(&[u8]) -> Zeroizing<Vec<u8>>,
    ) -> Result<Sealed, Error> {
        match self.suite {
            Suite::X25519 => seal::<X25519HkdfSha256>(&self.bytes, context, rng, body),
            Suite::XWing => seal::<XWing>(&self.bytes, context, rng, body),
        }
        // What fails here is the peer's key: its secret would be zero.
        .map_err(|_| Error::KeyUnusable)
    }
}

impl KemPrivateKey {
    pub(crate) fn from_bytes(suite: Suite, bytes: Zeroizing<[u8; 32]>) -> Self {
        Self { suite, bytes }
    }

    pub(crate) fn generate(suite: Suite, rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Self { suite, bytes }
    }

    pub(crate) const fn suite(&self) -> Suite {
        self.suite
    }

    pub(crate) fn public_key(&self) -> Result<KemPublicKey, Error> {
        let bytes = match self.suite {
            Suite::X25519 => public_key_of::<X25519HkdfSha256>(&self.bytes),
            Suite::XWing => public_key_of::<XWing>(&self.bytes),
        }
        .map_err(|_| Error::KeyUnusable)?;
        Ok(KemPublicKey { suite: self.suite, bytes })
    }

    pub(crate) fn open(
        &self,
        encapsulated_key: &[u8],
        context: &[u8],
        ciphertext: &[u8],
    ) -> Result<Opened, Error> {
        match self.suite {
            Suite::X25519 => {
                open::<X25519HkdfSha256>(&*self.bytes, encapsulated_key, context, ciphertext)
            }
            Suite::XWing => open::<XWing>(&*self.bytes, encapsulated_key, context, ciphertext),
        }
        .map_err(|_| Error::NotAuthentic)
    }
}

fn public_key<K: Kem>(bytes: &[u8]) -> Result<K::PublicKey, HpkeError> {
    K::PublicKey::from_bytes(bytes)
}

fn public_key_of<K: Kem>(private_key: &[u8; 32]) -> Result<Vec<u8>, HpkeError> {
    Ok(K::sk_to_pk(&K::PrivateKey::from_bytes(private_key)?).to_bytes().to_vec())
}

fn seal<K: Kem>(
    to: &[u8],
    context: &[u8],
    rng: &mut impl CryptoRng,
    body: impl FnOnce(&[u8]) -> Zeroizing<Vec<u8>>,
) -> Result<Sealed, HpkeError> {
    let (encapsulated_key, mut sender) = setup_sender_with_rng::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        &public_key::<K>(to)?,
        context,
        rng,
    )?;
    let encapsulated_key = encapsulated_key.to_bytes().to_vec();
    let ciphertext = sender.seal(&body(&encapsulated_key), b"")?;
    let mut exported = Exported::default();
    sender.export(labels::EXPORT, &mut *exported)?;
    Ok(Sealed { encapsulated_key, ciphertext, exported })
}

fn open<K: Kem>(
    with: &[u8],
    encapsulated_key: &[u8],
    context: &[u8],
    ciphertext: &[u8],
) -> Result<Opened, HpkeError> {
    let mut receiver = setup_receiver::<AesGcm256, HkdfSha256, K>(
        &OpModeR::Base,
        &K::PrivateKey::from_bytes(with)?,
        &K::EncappedKey::from_bytes(encapsulated_key)?,
        context,
    )?;
    let body = Zeroizing::new(receiver.open(ciphertext, b"")?);
    let mut exported = Exported::default();
    receiver.export(labels::EXPORT, &mut *exported)?;
    Ok(Opened { body, exported })
}
