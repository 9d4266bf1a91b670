//! The cost of one message in this crate: `cargo bench -p securecall-protocol`.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use securecall_protocol::{ClientMessage, Opaque, Reply, ServerMessage, decode};

fn main() {
    divan::main();
}

/// An id as long as those of our server.
const CALL_ID: &str =
    "qO5XevJyDc4AcvjPzAqO5XevJyDc4AcvjPzAqO5XevJyDc4AcvjPzAqO5XevJyDc4AcvjPzAqO5XevJyDc4Acvj";

fn candidate(len: usize) -> String {
    "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host ".chars().cycle().take(len).collect()
}

/// The hot path of the server.
#[divan::bench(args = [100, 200, 4096], sample_size = 1000)]
fn decode_candidate(bencher: Bencher<'_, '_>, len: usize) {
    let candidate = candidate(len);
    let text = format!(
        r#"{{"type":"ICE_CANDIDATE","payload":{{"callId":"{CALL_ID}","candidate":"{candidate}"}}}}"#
    );
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| assert!(decode(black_box(&text)).is_ok()));
}

/// A browser's offer is full of line ends, each an escape.
#[divan::bench(args = [4, 60], sample_size = 100)]
fn decode_offer(bencher: Bencher<'_, '_>, kib: usize) {
    let sdp =
        "a=candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host\\r\\n".repeat(kib * 1024 / 59);
    let text =
        format!(r#"{{"type":"CALL_INITIATE","payload":{{"targetId":"bob","sdpOffer":"{sdp}"}}}}"#);
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| assert!(decode(black_box(&text)).is_ok()));
}

#[divan::bench(sample_size = 1000)]
fn encode_candidate_200(bencher: Bencher<'_, '_>) {
    let candidate = format!("\"{}\"", candidate(200));
    let Some(candidate) = Opaque::from_stored(&candidate) else { return };
    let mut out = Vec::with_capacity(1024);
    bencher.bench_local(|| {
        out.clear();
        let message = ServerMessage::IceCandidate { call_id: CALL_ID.into(), candidate };
        let reply = black_box(Reply::from(message));
        black_box(reply.encoded_bytes());
        reply.encode(&mut out);
    });
}

#[divan::bench(sample_size = 1000)]
fn decode_heartbeat(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| {
        let request = decode(black_box(r#"{"type":"HEARTBEAT","payload":{}}"#));
        assert!(request.is_ok_and(|request| request.message == ClientMessage::Heartbeat));
    });
}
