//! Throughput of the embedded directory: lookups and registrations per second for 1 and for 64
//! concurrent callers, and the duration of an operator's exports and imports: `cargo bench -p
//! securecall-server --bench directory`.
//!
//! It measures the disk as much as the code: a registration costs one pair of fsyncs, shared by all
//! callers that are queued together.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may stop at what it cannot measure")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use divan::counter::ItemsCount;
use divan::{Bencher, bench, black_box};
use securecall_server::data_dir::DataDir;
use securecall_server::directory::{Directory as _, Embedded, Import, Replacement};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const RECORDS: usize = 100_000;
const CALLERS: [usize; 2] = [1, 64];

fn main() {
    divan::main();
}

#[bench(args = CALLERS)]
fn lookup(bencher: Bencher<'_, '_>, callers: usize) {
    let bed = TestBed::with_records(RECORDS);
    let next = AtomicU64::new(0);
    bencher.counter(ItemsCount::new(callers)).bench(|| {
        let answers = (0..callers).map(|_| {
            let n = next.fetch_add(7919, Ordering::Relaxed) % RECORDS as u64;
            bed.directory.lookup(&id(n))
        });
        black_box(bed.await_all(answers.collect()))
    });
}

/// Looks up keys while an operator exports repeatedly.
#[bench(args = CALLERS)]
fn lookup_beside_exports(bencher: Bencher<'_, '_>, callers: usize) {
    let bed = TestBed::with_records(RECORDS);
    let next = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                black_box(bed.export());
            }
        });
        bencher.counter(ItemsCount::new(callers)).bench_local(|| {
            let answers = (0..callers).map(|_| {
                let n = next.fetch_add(7919, Ordering::Relaxed) % RECORDS as u64;
                bed.directory.lookup(&id(n))
            });
            black_box(bed.await_all(answers.collect()))
        });
        over.store(true, Ordering::Relaxed);
    });
}

#[bench(sample_count = 10)]
fn export(bencher: Bencher<'_, '_>) {
    let bed = TestBed::with_records(RECORDS);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| bed.export());
}

/// Imports into an empty directory, in one commit. Parsing the lines is not measured.
#[bench(sample_count = 10)]
fn import(bencher: Bencher<'_, '_>) {
    let lines = TestBed::with_records(RECORDS).export();
    let import = Import::read(lines.as_bytes(), 4096, Replacement::Refused).expect("an import");
    bencher
        .counter(ItemsCount::new(RECORDS))
        .with_inputs(|| (TestBed::with_records(0), import.clone()))
        .bench_local_values(|(bed, import)| bed.directory.import(import).expect("is written"));
}

#[bench(args = CALLERS)]
fn register(bencher: Bencher<'_, '_>, callers: usize) {
    let bed = TestBed::with_records(0);
    let next = AtomicU64::new(0);
    bencher.counter(ItemsCount::new(callers)).bench(|| {
        let answers = (0..callers).map(|_| {
            let n = next.fetch_add(1, Ordering::Relaxed);
            bed.directory.register(&id(n), &key(n), Replacement::Refused.into())
        });
        black_box(bed.await_all(answers.collect()))
    });
}

/// Registers a key that is stored already, as every client does when it starts.
#[bench(args = CALLERS)]
fn register_again(bencher: Bencher<'_, '_>, callers: usize) {
    let bed = TestBed::with_records(RECORDS);
    let next = AtomicU64::new(0);
    bencher.counter(ItemsCount::new(callers)).bench(|| {
        let answers = (0..callers).map(|_| {
            let n = next.fetch_add(7919, Ordering::Relaxed) % RECORDS as u64;
            bed.directory.register(&id(n), &key(n), Replacement::Refused.into())
        });
        black_box(bed.await_all(answers.collect()))
    });
}

/// Opens a directory, as each start of the server does: the whole file is read and checked.
#[bench(args = [1_000, 100_000], sample_count = 10)]
fn open(bencher: Bencher<'_, '_>, records: usize) {
    let TestBed { folder, directory, .. } = TestBed::with_records(records);
    drop(directory);
    bencher
        .bench_local(|| DataDir::open(folder.path()).expect("opens").directory().expect("opens"));
}

struct TestBed {
    runtime: Runtime,
    directory: Embedded,
    folder: TempDir,
}

impl TestBed {
    fn with_records(records: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = DataDir::open(folder.path()).expect("opens").directory().expect("opens");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let bed = Self { runtime, directory, folder };
        for first in (0..records as u64).step_by(1000) {
            let answers = (first..first + 1000)
                .map(|n| bed.directory.register(&id(n), &key(n), Replacement::Refused.into()));
            bed.await_all(answers.collect());
        }
        bed
    }

    fn export(&self) -> String {
        let mut export = self.directory.export();
        let mut lines = String::new();
        loop {
            let page = export.next_page().expect("a page");
            if page.records == 0 {
                return lines;
            }
            lines.push_str(&page.lines);
        }
    }

    fn await_all<T>(&self, answers: Vec<impl Future<Output = T>>) -> Vec<T> {
        self.runtime.block_on(async {
            let mut results = Vec::with_capacity(answers.len());
            for answer in answers {
                results.push(answer.await);
            }
            results
        })
    }
}

fn id(n: u64) -> String {
    format!("client-{n}")
}

/// Returns a key as long as an RSA-2048 key in PEM, about the longest in use.
fn key(n: u64) -> String {
    format!("\"{n:0>450}\"")
}
