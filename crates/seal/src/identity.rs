//! A client's private keys.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{DirectoryKey, Error, Suite, hpke_base::KemPrivateKey, labels};

/// The 32 random bytes that all private keys of an identity follow from: what a client stores, and
/// what a person backs up. Whoever has them is that person. They are wiped when dropped.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// A new one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self(seed)
    }

    /// A new one, by the random generator of this thread, which the system seeds.
    #[cfg(feature = "random")]
    pub fn random() -> Self {
        Self::generate(&mut rand::rng())
    }

    /// Takes one back that was stored.
    pub const fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA256 (RFC 5869) without a salt.
    fn derive(&self, label: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, self.as_bytes())
            .expand(label, &mut *key)
            .map_err(|_| Error::KeyUnusable)?;
        Ok(key)
    }
}

/// A client's own keys: an Ed25519 key that signs, and one KEM key for each suite. They are wiped
/// when the last clone is dropped.
#[derive(Clone)]
pub struct Identity(Arc<Keys>);

struct Keys {
    directory_key: DirectoryKey,
    signing: SigningKey,
    kem_keys: Vec<KemPrivateKey>,
}

impl Identity {
    /// The identity that follows from a seed, for one client id; the same seed gives the same
    /// directory key every time. It lists `best_suite` and those below it.
    ///
    /// # Errors
    /// [`Error::InvalidClientId`].
    pub fn new(client_id: &str, seed: &Seed, best_suite: Suite) -> Result<Self, Error> {
        let signing = SigningKey::from_bytes(&*seed.derive(labels::IDENTITY_ED25519)?);
        let kem_keys = Suite::ALL
            .into_iter()
            .filter(|suite| *suite <= best_suite)
            .map(|suite| kem_key(seed, suite))
            .collect::<Result<Vec<_>, _>>()?;
        let public_keys =
            kem_keys.iter().map(KemPrivateKey::public_key).collect::<Result<Vec<_>, _>>()?;
        let directory_key = DirectoryKey::sign(client_id, &signing, public_keys)?;
        Ok(Self(Arc::new(Keys { directory_key, signing, kem_keys })))
    }

    /// The public half, for the directory.
    pub fn directory_key(&self) -> &DirectoryKey {
        &self.0.directory_key
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.0.signing
    }

    pub(crate) fn kem_key(&self, suite: Suite) -> Option<&KemPrivateKey> {
        self.0.kem_keys.iter().find(|key| key.suite() == suite)
    }
}

fn kem_key(seed: &Seed, suite: Suite) -> Result<KemPrivateKey, Error> {
    let label = match suite {
        Suite::X25519 => labels::IDENTITY_X25519,
        Suite::XWing => labels::IDENTITY_X_WING,
    };
    Ok(KemPrivateKey::from_bytes(suite, seed.derive(label)?))
}
