//! No bytes at all make sealing panic, and none that were not sealed open: neither arbitrary ones
//! nor a sealed message with some of its bytes replaced.
//!
//! Run: `cargo +nightly fuzz run seal_open`. The first byte of an input chooses what to open and
//! whether the second one is a place to write the rest at, in a message that was sealed.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use rand::{SeedableRng as _, rngs::StdRng};
use securecall_seal::{Callee, Caller, DirectoryKey, Identity, Offered, Seed, Suite};

const CALL_ID: &str = "call";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct Pair {
    alice: Identity,
    bob: Identity,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let mut rng = StdRng::seed_from_u64(1);
    let mut identity = |id| Identity::new(id, &Seed::generate(&mut rng), Suite::X25519).unwrap();
    Pair { alice: identity("alice"), bob: identity("bob") }
});

/// Panics if the sentence above is not true of this input.
pub fn seal_open(input: &[u8]) {
    let Some((&choice, rest)) = input.split_first() else { return };
    let (offered, offer) = offer();
    let incoming = Callee::new(&PAIR.bob).open_offer(PAIR.alice.directory_key(), &offer, now());
    let answered = incoming.unwrap().answer(CALL_ID, "answer", &mut StdRng::seed_from_u64(3));
    let (mut bobs_end, answer) = answered.unwrap();
    match choice % 4 {
        0 => {
            let key = PAIR.alice.directory_key().as_str();
            let text = text(choice, rest, key);
            assert!(DirectoryKey::parse(&text, "alice").is_err() || text == key);
        }
        1 => {
            let text = text(choice, rest, &offer);
            let mut bob = Callee::new(&PAIR.bob);
            let opened = bob.open_offer(PAIR.alice.directory_key(), &text, now());
            assert!(opened.is_err() || text == offer);
        }
        2 => {
            let text = text(choice, rest, &answer);
            assert!(offered.accept(CALL_ID, &text).is_err() || text == answer);
        }
        _ => {
            let (mut alices_end, _) = offered.accept(CALL_ID, &answer).unwrap();
            let candidate = alices_end.seal_candidate("candidate").unwrap();
            let text = text(choice, rest, &candidate);
            assert!(bobs_end.open_candidate(&text).is_err() || text == candidate);
        }
    }
}

/// The same offer every time.
fn offer() -> (Offered, String) {
    let caller = Caller::new(&PAIR.alice, PAIR.bob.directory_key());
    caller.offer("offer", now(), &mut StdRng::seed_from_u64(2)).unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// The input itself, as text if it can be; or the sealed text with a part replaced.
fn text(choice: u8, rest: &[u8], sealed: &str) -> String {
    if choice & 0x80 == 0 {
        return String::from_utf8_lossy(rest).into_owned();
    }
    let mut text = sealed.as_bytes().to_vec();
    if let Some((&place, replacement)) = rest.split_first() {
        let start = text.len() * usize::from(place) / 256;
        for (old, new) in text[start..].iter_mut().zip(replacement) {
            *old = ALPHABET[usize::from(new % 64)];
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
