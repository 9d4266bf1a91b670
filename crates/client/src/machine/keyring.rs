//! The keys of this client, those of others that it trusts, and those of who may call.
//!
//! [`Keyring`] decides about keys and ends no call. Its contract:
//!
//! 1. A key from the directory is used only after [`Keyring::check`].
//! 2. A key with which a call has come about goes to [`Keyring::meet`], one that the application
//!    has compared to [`Keyring::trust`]. Where they say so, save [`Keyring::known_keys`].
//! 3. What a save has found goes to [`Keyring::saved`].

use std::time::SystemTime;

use rand_core::CryptoRng;
use securecall_protocol::ClientId;
use securecall_seal::{
    self as seal, Callee, Caller, DirectoryKey, Identity, Incoming, Offered, Standing,
};

use crate::known_keys::{Found, Recognition, Saved};
use crate::{Error, KeyChange, KnownKeys, LookedUp};

/// Own and known keys.
pub(super) struct Keyring {
    identity: Identity,
    callee: Callee,
    known_keys: KnownKeys,
    /// The keys of those who may call. `None`: this client is in the directory, as its callers are.
    unlisted: Option<Vec<DirectoryKey>>,
}

/// The result of a call with somebody.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// Of somebody who is remembered from now on; to be saved.
    First,
    /// Of somebody about whom nothing is remembered, for want of room.
    NotRemembered,
    /// Of somebody who is remembered.
    Again,
}

impl Meeting {
    /// Returns whether nothing was remembered before.
    pub(super) fn is_first_contact(&self) -> bool {
        *self != Self::Again
    }
}

impl Keyring {
    /// One in the directory.
    pub(super) fn new(identity: Identity, known_keys: KnownKeys) -> Self {
        Self { callee: Callee::new(&identity), identity, known_keys, unlisted: None }
    }

    /// Without the directory, if the keys of those who may call are given.
    pub(super) fn unlisted(self, callers: Option<Vec<DirectoryKey>>) -> Self {
        Self { unlisted: callers, ..self }
    }

    /// The key to be published. `None`: this client is not in the directory.
    pub(super) fn published(&self) -> Option<&DirectoryKey> {
        self.unlisted.is_none().then(|| self.identity.directory_key())
    }

    /// The key of a caller of an unlisted client, or that there is none. `None`: the directory is
    /// to be asked.
    pub(super) fn listed_caller(&self, caller: &ClientId) -> Option<Result<DirectoryKey, Error>> {
        let callers = self.unlisted.as_ref()?;
        let key = callers.iter().find(|key| key.client_id() == caller.as_str());
        Some(key.cloned().ok_or(Error::NoKey))
    }

    /// The keys that are remembered, to be saved.
    pub(super) const fn known_keys(&self) -> &KnownKeys {
        &self.known_keys
    }

    /// Takes over what a save has found.
    pub(super) fn saved(&mut self, saved: Saved) -> Found {
        self.known_keys.saved(saved)
    }

    /// Returns whether a key of this client is remembered.
    pub(super) fn knows(&self, client_id: &str) -> bool {
        self.known_keys.knows(client_id)
    }

    /// Takes a key that is the one remembered, or of somebody about whom nothing is.
    ///
    /// # Errors
    /// [`Error::KeyChanged`]: never silently.
    pub(super) fn check(&self, key: DirectoryKey) -> Result<DirectoryKey, Error> {
        match self.known_keys.recognise(&key) {
            Recognition::Known | Recognition::New => Ok(key),
            Recognition::Changed { remembered } => {
                let client_id = key.client_id().try_into().map_err(|_| Error::NoKey)?;
                Err(Error::KeyChanged(Box::new(KeyChange { client_id, remembered, present: key })))
            }
        }
    }

    /// Compares what the directory has answered with what is remembered.
    pub(super) fn looked_up(&self, key: Option<DirectoryKey>) -> LookedUp {
        match key {
            None => LookedUp::Nothing,
            Some(key) => match self.known_keys.recognise(&key) {
                Recognition::New => LookedUp::New(key),
                Recognition::Known => LookedUp::Known(key),
                Recognition::Changed { remembered } => {
                    LookedUp::Changed { remembered, present: key }
                }
            },
        }
    }

    /// A call with this key has come about.
    pub(super) fn meet(&mut self, key: &DirectoryKey) -> Meeting {
        let first = self.known_keys.recognise(key) == Recognition::New;
        match self.known_keys.meet(key) {
            true => Meeting::First,
            false if first => Meeting::NotRemembered,
            false => Meeting::Again,
        }
    }

    /// Remembers a key in place of any other. Returns whether that is to be saved.
    ///
    /// # Errors
    /// [`Error::TooManyKeys`].
    pub(super) fn trust(&mut self, key: &DirectoryKey) -> Result<bool, Error> {
        self.known_keys.remember(key).map_err(|_| Error::TooManyKeys)
    }

    /// Seals an offer to the holder of this key.
    pub(super) fn seal_offer(
        &self,
        callee_key: &DirectoryKey,
        offer: &str,
        wall: SystemTime,
        rng: &mut impl CryptoRng,
    ) -> Result<(Offered, String), seal::Error> {
        Caller::new(&self.identity, callee_key).offer(offer, wall, rng)
    }

    /// Refuses an offer for which the caller's key need not be looked up.
    pub(super) fn precheck_offer(&self, sealed: &str) -> Result<(), seal::Error> {
        self.callee.precheck_offer(sealed)
    }

    /// Opens the offer of the holder of this key.
    pub(super) fn open_offer(
        &mut self,
        caller_key: &DirectoryKey,
        sealed: &str,
        wall: SystemTime,
    ) -> Result<Incoming, seal::Error> {
        let standing = match self.knows(caller_key.client_id()) {
            true => Standing::Known,
            false => Standing::Stranger,
        };
        self.callee.open_offer_of(standing, caller_key, sealed, wall)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use securecall_seal::{Seed, Suite};

    use super::*;

    /// Alice's, and two keys that the directory gives for bob.
    fn keyring() -> (Keyring, [DirectoryKey; 2]) {
        let mut rng = StdRng::seed_from_u64(1);
        let mut identity =
            |name: &str| Identity::new(name, &Seed::generate(&mut rng), Suite::X25519).unwrap();
        let keys = [(); 2].map(|()| {
            DirectoryKey::parse(identity("bob").directory_key().as_str(), "bob").unwrap()
        });
        (Keyring::new(identity("alice"), KnownKeys::in_memory()), keys)
    }

    #[test]
    fn another_key_than_the_one_met_is_refused_until_it_is_trusted() {
        let (mut keyring, [met, other]) = keyring();
        assert!(keyring.check(other.clone()).is_ok(), "nothing is remembered");
        assert_eq!(keyring.meet(&met), Meeting::First);
        assert_eq!(keyring.meet(&met), Meeting::Again);
        assert!(keyring.check(met.clone()).is_ok());
        let Err(Error::KeyChanged(change)) = keyring.check(other.clone()) else { panic!("taken") };
        assert_eq!(change.remembered, met.fingerprint().to_string());
        assert!(matches!(keyring.looked_up(Some(other.clone())), LookedUp::Changed { .. }));
        assert!(keyring.trust(&other).unwrap(), "to be saved");
        assert!(keyring.check(other).is_ok());
        assert!(matches!(keyring.check(met), Err(Error::KeyChanged(_))));
    }

    #[test]
    fn an_unlisted_client_publishes_nothing_and_knows_its_callers() {
        let (keyring, [bob, _]) = keyring();
        let client_id = |text: &str| ClientId::try_from(text).unwrap();
        assert!(keyring.published().is_some());
        assert!(keyring.listed_caller(&client_id("bob")).is_none(), "the directory knows");
        let keyring = keyring.unlisted(Some(vec![bob]));
        assert!(keyring.published().is_none());
        assert!(matches!(keyring.listed_caller(&client_id("bob")), Some(Ok(_))));
        let stranger = keyring.listed_caller(&client_id("carol"));
        assert!(matches!(stranger, Some(Err(Error::NoKey))));
    }
}
