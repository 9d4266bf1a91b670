//! Two clients who looked each other up, and a call between them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::{SeedableRng as _, rngs::StdRng};
use securecall_seal::{
    Callee, Caller, DirectoryKey, Error, Established, Identity, Incoming, Offered, Seed, Suite,
};
use zeroize::Zeroizing;

pub(crate) const CALL_ID: &str = "call-1";
pub(crate) const OFFER: &str = "v=0\r\na=fingerprint:sha-256 AA:AA\r\n";
pub(crate) const ANSWER: &str = "v=0\r\na=fingerprint:sha-256 BB:BB\r\n";
pub(crate) const CANDIDATE: &str = "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host";

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub(crate) fn seed(byte: u8) -> Seed {
    Seed::from_bytes(Zeroizing::new([byte; 32]))
}

pub(crate) fn identity(client_id: &str, seed_byte: u8, best_suite: Suite) -> Identity {
    Identity::new(client_id, &seed(seed_byte), best_suite).unwrap()
}

pub(crate) struct Pair {
    pub(crate) alice: Identity,
    pub(crate) bob: Identity,
    pub(crate) rng: StdRng,
}

impl Pair {
    pub(crate) fn new(best_suite: Suite) -> Self {
        Self {
            alice: identity("alice", 1, best_suite),
            bob: identity("bob", 2, best_suite),
            rng: StdRng::seed_from_u64(5),
        }
    }

    pub(crate) fn offer(&mut self) -> (Offered, String) {
        let bob = self.bob.directory_key();
        Caller::new(&self.alice, bob).offer(OFFER, now(), &mut self.rng).unwrap()
    }

    /// As a callee that was never called before.
    pub(crate) fn open(&self, sdp_offer: &str) -> Result<Incoming, Error> {
        Callee::new(&self.bob).open_offer(self.alice.directory_key(), sdp_offer, now())
    }

    pub(crate) fn answer(&mut self, sdp_offer: &str) -> (Established, String) {
        self.open(sdp_offer).unwrap().answer(CALL_ID, ANSWER, &mut self.rng).unwrap()
    }

    /// The caller's end and the callee's.
    pub(crate) fn call(&mut self) -> (Established, Established) {
        let (offered, sdp_offer) = self.offer();
        let (bobs_end, sdp_answer) = self.answer(&sdp_offer);
        let (alices_end, answer) = offered.accept(CALL_ID, &sdp_answer).unwrap();
        assert_eq!(answer, ANSWER);
        (alices_end, bobs_end)
    }
}

/// The key as another client looks it up.
pub(crate) fn looked_up(identity: &Identity) -> DirectoryKey {
    let own = identity.directory_key();
    DirectoryKey::parse(own.as_str(), own.client_id()).unwrap()
}
