//! The cost of one message in this crate: `cargo bench -p securecall-websocket`.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use securecall_websocket::{
    Decoder, MaskKey, Opcode, Role, mask, write_header, write_masked_text, write_text,
};

const KEY: MaskKey = [0x37, 0xfa, 0x21, 0x3d];
const MESSAGE_BYTES_MAX: u32 = 64 * 1024;

fn main() {
    divan::main();
}

fn text(len: usize) -> String {
    "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host ".chars().cycle().take(len).collect()
}

/// The hot path of the server. The copy into the read buffer stands for the read, and is part of
/// what is measured, because decoding unmasks in place.
#[divan::bench(args = [200, 300], sample_size = 1000)]
fn decode_masked_text(bencher: Bencher<'_, '_>, len: usize) {
    let mut frame = Vec::new();
    write_masked_text(&mut frame, &text(len), KEY);
    let mut buffer = frame.clone();
    let mut decoder = Decoder::new(Role::Server, MESSAGE_BYTES_MAX);
    bencher.counter(BytesCount::new(len)).bench_local(|| {
        buffer.copy_from_slice(&frame);
        let mut input = black_box(&mut buffer[..]);
        assert!(black_box(decoder.next(&mut input)).is_ok_and(|event| event.is_some()));
    });
}

/// The same message, arriving in two reads.
#[divan::bench(sample_size = 1000)]
fn decode_masked_text_cut_in_two(bencher: Bencher<'_, '_>) {
    let mut frame = Vec::new();
    write_masked_text(&mut frame, &text(200), KEY);
    let mut buffer = frame.clone();
    let mut decoder = Decoder::new(Role::Server, MESSAGE_BYTES_MAX);
    bencher.bench_local(|| {
        buffer.copy_from_slice(&frame);
        let (mut first, mut second) = black_box(&mut buffer[..]).split_at_mut(100);
        assert!(black_box(decoder.next(&mut first)).is_ok_and(|event| event.is_none()));
        assert!(black_box(decoder.next(&mut second)).is_ok_and(|event| event.is_some()));
    });
}

#[divan::bench(sample_size = 1000)]
fn mask_64_kib(bencher: Bencher<'_, '_>) {
    let mut payload = vec![0x5a; 64 * 1024];
    bencher
        .counter(BytesCount::new(payload.len()))
        .bench_local(|| mask(black_box(&mut payload), black_box(KEY)));
}

#[divan::bench(sample_size = 1000)]
fn encode_text_200(bencher: Bencher<'_, '_>) {
    let text = text(200);
    let mut out = Vec::with_capacity(1024);
    bencher.bench_local(|| {
        out.clear();
        write_text(&mut out, black_box(&text));
        black_box(&out);
    });
}

#[divan::bench(sample_size = 1000)]
fn encode_header(bencher: Bencher<'_, '_>) {
    let mut out = Vec::with_capacity(1024);
    bencher.bench_local(|| {
        out.clear();
        write_header(&mut out, Opcode::Text, black_box(200));
        black_box(&out);
    });
}
