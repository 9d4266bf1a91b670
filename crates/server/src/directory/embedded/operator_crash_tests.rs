//! Acknowledged imports and resets survive a crash, and none is done in part.

use std::time::Duration;

use super::database::{create, open_storage};
use super::simulated_disk::SimulatedDisk;
use super::volume::RETRY_PAUSE;
use crate::directory::Embedded;
use crate::directory::Replacement::Allowed;
use crate::directory::conformance::{exported, import};

fn open_on(disk: &SimulatedDisk) -> Embedded {
    let disk = disk.clone();
    Embedded::start(Box::new(move || open_storage(disk.clone()))).unwrap()
}

/// Imports `count` records of some length, beginning with `first`.
fn take_in(directory: &Embedded, first: usize, count: usize, salt: &str) -> bool {
    let record = |n: usize| (format!("id-{n}"), format!("\"{salt}{}\"", "k".repeat(n * 40)));
    let records: Vec<_> = (first..first + count).map(record).collect();
    let borrowed: Vec<_> = records.iter().map(|(id, key)| (id.as_str(), key.as_str())).collect();
    directory.import(import(&borrowed, Allowed)).is_ok_and(|imported| imported.is_ok())
}

fn reset_some(directory: &Embedded) -> bool {
    let ids = (5..35).map(|n| format!("id-{n}").as_str().try_into().unwrap());
    directory.reset(ids.collect()).is_ok()
}

/// Returns a disk whose directory has 30 records.
fn begun() -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    drop(create(disk.clone()).unwrap());
    assert!(take_in(&open_on(&disk), 0, 30, "old"));
    disk
}

/// Replaces ten records and adds fifteen, then removes thirty. Returns the number of acknowledged
/// steps.
fn operate(directory: &Embedded) -> usize {
    if !take_in(directory, 20, 25, "new") {
        return 0;
    }
    if reset_some(directory) { 2 } else { 1 }
}

/// Returns the directory before, between and after the two steps.
fn states() -> [String; 3] {
    let directory = open_on(&begun());
    let before = exported(&directory);
    take_in(&directory, 20, 25, "new");
    let between = exported(&directory);
    reset_some(&directory);
    [before, between, exported(&directory)]
}

#[test]
fn a_power_cut_at_any_operation_leaves_no_import_and_no_reset_half_done() {
    let states = states();
    let dry_run = begun();
    let directory = open_on(&dry_run);
    let opened = dry_run.operations();
    assert_eq!(operate(&directory), 2);

    let mut acknowledged = [0; 3];
    for cut in opened..=dry_run.operations() + 1 {
        let disk = begun();
        let directory = open_on(&disk);
        disk.set(|faults| faults.power_cut_at = Some(cut));
        let done = operate(&directory);
        drop(directory);
        acknowledged[done] += 1;
        for seed in 0..4 {
            let state = exported(&open_on(&disk.after_power_cut(seed)));
            assert!(states[done..].contains(&state), "cut {cut}, seed {seed}, {done} done");
        }
    }
    assert!(acknowledged.iter().all(|runs| *runs > 0), "{acknowledged:?}");
}

#[test]
fn a_failed_fsync_leaves_no_import_and_no_reset_half_done() {
    let states = states();
    let dry_run = begun();
    let directory = open_on(&dry_run);
    let opened = dry_run.syncs();
    assert_eq!(operate(&directory), 2);

    for sync in (opened + 1)..=dry_run.syncs() {
        let disk = begun();
        let directory = open_on(&disk);
        disk.set(|faults| faults.sync_failure_at = Some(sync));
        let done = operate(&directory);
        assert!(done < 2 || disk.syncs() < sync, "sync {sync} failed, and nobody was told");
        let seen = exported_in_time(&directory);
        assert!(states[done..].contains(&seen), "sync {sync} failed, {done} done");
        drop(directory);
        for seed in 0..4 {
            let state = exported(&open_on(&disk.after_power_cut(seed)));
            assert!(states[done..].contains(&state), "sync {sync} failed, seed {seed}");
        }
    }
}

/// Exports, with retries while the database is opened again.
fn exported_in_time(directory: &Embedded) -> String {
    if directory.export().next_page().is_err() {
        std::thread::sleep(RETRY_PAUSE + Duration::from_millis(10));
    }
    exported(directory)
}
