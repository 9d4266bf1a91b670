//! The cost of sealing, by suite: `cargo bench -p securecall-seal`. It prints the lengths of the
//! sealed texts first.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench")]

use std::time::SystemTime;

use divan::{Bencher, black_box};
use securecall_seal::{Callee, Caller, DirectoryKey, Established, Identity, Offered, Seed, Suite};

const CALL_ID: &str = "call-1";
const CANDIDATE: &str = "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host";
const SUITES: [Suite; 2] = Suite::ALL;

/// As long as the offer of a voice and video call in a browser.
fn sdp() -> String {
    "a=rtpmap:96 VP8/90000\r\n".repeat(250)
}

fn identity(client_id: &str, suite: Suite) -> Identity {
    Identity::new(client_id, &Seed::generate(&mut rand::rng()), suite).unwrap()
}

struct Pair {
    alice: Identity,
    bob: Identity,
}

impl Pair {
    fn new(suite: Suite) -> Self {
        Self { alice: identity("alice", suite), bob: identity("bob", suite) }
    }

    fn offer(&self, sdp: &str) -> (Offered, String) {
        let caller = Caller::new(&self.alice, self.bob.directory_key());
        caller.offer(sdp, SystemTime::now(), &mut rand::rng()).unwrap()
    }

    fn answer(&self, sdp_offer: &str, sdp: &str) -> (Established, String) {
        Callee::new(&self.bob)
            .open_offer(self.alice.directory_key(), sdp_offer, SystemTime::now())
            .unwrap()
            .answer(CALL_ID, sdp, &mut rand::rng())
            .unwrap()
    }

    fn call(&self) -> (Established, Established) {
        let (offered, sdp_offer) = self.offer("");
        let (bobs_end, sdp_answer) = self.answer(&sdp_offer, "");
        (offered.accept(CALL_ID, &sdp_answer).unwrap().0, bobs_end)
    }
}

#[divan::bench(args = SUITES)]
fn make_an_identity(bencher: Bencher<'_, '_>, suite: Suite) {
    bencher.bench_local(|| identity("alice", black_box(suite)));
}

#[divan::bench(args = SUITES)]
fn parse_a_directory_key(bencher: Bencher<'_, '_>, suite: Suite) {
    let alice = identity("alice", suite);
    let text = alice.directory_key().as_str();
    bencher.bench_local(|| DirectoryKey::parse(black_box(text), "alice").unwrap());
}

#[divan::bench(args = SUITES)]
fn seal_an_offer(bencher: Bencher<'_, '_>, suite: Suite) {
    let (pair, sdp) = (Pair::new(suite), sdp());
    bencher.bench_local(|| pair.offer(black_box(&sdp)));
}

#[divan::bench(args = SUITES)]
fn open_an_offer_and_answer_it(bencher: Bencher<'_, '_>, suite: Suite) {
    let (pair, sdp) = (Pair::new(suite), sdp());
    let (_, sdp_offer) = pair.offer(&sdp);
    bencher.bench_local(|| pair.answer(black_box(&sdp_offer), &sdp));
}

#[divan::bench(args = SUITES)]
fn accept_an_answer(bencher: Bencher<'_, '_>, suite: Suite) {
    let (pair, sdp) = (Pair::new(suite), sdp());
    let answered = || {
        let (offered, sdp_offer) = pair.offer(&sdp);
        let (_, sdp_answer) = pair.answer(&sdp_offer, &sdp);
        (offered, sdp_answer)
    };
    bencher
        .with_inputs(answered)
        .bench_local_values(|(offered, answer)| offered.accept(CALL_ID, &answer).unwrap());
}

#[divan::bench]
fn seal_a_candidate(bencher: Bencher<'_, '_>) {
    let (mut alices_end, _) = Pair::new(Suite::X25519).call();
    bencher.bench_local(|| alices_end.seal_candidate(black_box(CANDIDATE)).unwrap());
}

#[divan::bench]
fn seal_and_open_a_candidate(bencher: Bencher<'_, '_>) {
    let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
    bencher.bench_local(|| {
        let candidate = alices_end.seal_candidate(black_box(CANDIDATE)).unwrap();
        bobs_end.open_candidate(&candidate).unwrap()
    });
}

fn print_lengths(suite: Suite) {
    let pair = Pair::new(suite);
    let (alices_key, sdp) = (pair.alice.directory_key().as_str(), sdp());
    let (offered, offer) = pair.offer(&sdp);
    let (_, answer) = pair.answer(&offer, &sdp);
    let (mut end, _) = offered.accept(CALL_ID, &answer).unwrap();
    let (_, shortest_offer) = pair.offer("");
    let (_, shortest_answer) = pair.answer(&shortest_offer, "");
    println!(
        "{suite:?}: directory key {}, offer {} (of {} bytes; {} of none), answer {} ({} of none), \
         candidate {} (of {} bytes)",
        alices_key.len(),
        offer.len(),
        sdp.len(),
        shortest_offer.len(),
        answer.len(),
        shortest_answer.len(),
        end.seal_candidate(CANDIDATE).unwrap().len(),
        CANDIDATE.len(),
    );
}

fn main() {
    SUITES.into_iter().for_each(print_lengths);
    divan::main();
}
