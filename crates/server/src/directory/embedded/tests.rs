//! The embedded directory on slow, full, broken and healthy disks.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::database::{create, open_storage};
use super::simulated_disk::SimulatedDisk;
use super::volume::RETRY_PAUSE;
use crate::directory::Replacement::{Allowed, Refused};
use crate::directory::{
    Answer, Directory, Embedded, QUEUE_LENGTH, Records, RegisterError, Registered, Reset, Terms,
    Unavailable, conformance,
};

const UNAVAILABLE: Result<Registered, RegisterError> = Err(RegisterError::Unavailable(Unavailable));

fn open_on(disk: &SimulatedDisk) -> Embedded {
    let disk = disk.clone();
    Embedded::start(Box::new(move || open_storage(disk.clone()))).unwrap()
}

fn empty() -> (Embedded, SimulatedDisk) {
    let disk = SimulatedDisk::default();
    drop(create(disk.clone()).unwrap());
    (open_on(&disk), disk)
}

/// Blocks the writer in its first fsync, so that later requests queue up.
async fn hold_the_writer(
    directory: &Embedded,
    disk: &SimulatedDisk,
) -> Answer<Registered, RegisterError> {
    disk.set(|faults| faults.syncs_hang = true);
    let first = directory.register("first", r#""k""#, Refused.into());
    while !disk.is_syncing() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    first
}

#[tokio::test]
async fn it_is_a_directory() {
    conformance::holds_for(&empty().0).await;
}

#[tokio::test]
async fn operators_can_work_on_it() {
    conformance::operations_hold_for(&empty().0).await;
}

#[tokio::test]
async fn a_full_directory_refuses_first_keys_and_serves_existing_ones() {
    let (directory, disk) = empty();
    let directory = directory.with_records_max(2);
    let register =
        |id: &'static str, key: &'static str, terms: Terms| directory.register(id, key, terms);
    let full = Err(RegisterError::Full);
    for (id, expected) in [("a", Ok(Registered::Created)), ("b", Ok(Registered::Created))] {
        assert_eq!(register(id, r#""k""#, Refused.into()).await, expected);
    }
    assert_eq!(register("c", r#""k""#, Refused.into()).await, full);
    assert_eq!(register("a", r#""k""#, Refused.into()).await, Ok(Registered::Kept));
    assert_eq!(register("a", r#""l""#, Allowed.into()).await, Ok(Registered::Replaced));
    assert_eq!(register("a", r#""m""#, Refused.into()).await, Err(RegisterError::Pinned));
    assert_eq!(directory.records(), Records { count: 2, max: 2 });
    // Operations of an operator change the count.
    assert_eq!(directory.reset(vec!["a".try_into().unwrap()]), Ok(vec![Reset::Done]));
    assert_eq!(directory.records().count, 1);
    assert_eq!(register("c", r#""k""#, Refused.into()).await, Ok(Registered::Created));
    directory.import(conformance::import(&[("d", r#""k""#)], Refused)).unwrap().unwrap();
    assert_eq!(directory.records().count, 3);
    assert_eq!(register("e", r#""k""#, Refused.into()).await, full);
    drop(directory);
    assert_eq!(open_on(&disk).records().count, 3, "counted when it is opened");
}

#[tokio::test]
async fn within_one_commit_no_more_records_are_made_than_there_may_be() {
    let (directory, disk) = empty();
    let directory = directory.with_records_max(4);
    let first = hold_the_writer(&directory, &disk).await;
    let answers: Vec<_> =
        (0..10).map(|n| directory.register(&format!("id-{n}"), r#""k""#, Refused.into())).collect();
    disk.set(|faults| faults.syncs_hang = false);
    first.await.unwrap();
    let mut made = 0;
    for answer in answers {
        made += usize::from(answer.await == Ok(Registered::Created));
    }
    assert_eq!((made, directory.records().count), (3, 4));
}

#[tokio::test]
async fn an_import_that_changes_nothing_costs_no_fsync() {
    let (directory, disk) = empty();
    directory.register("id", r#""k""#, Refused.into()).await.unwrap();
    let before = disk.syncs();
    let records = [("id", r#""k""#)];
    directory.import(conformance::import(&records, Refused)).unwrap().unwrap();
    let conflicting = [("new", r#""k""#), ("id", r#""l""#)];
    directory.import(conformance::import(&conflicting, Refused)).unwrap().unwrap_err();
    directory.reset(vec!["nobody".try_into().unwrap()]).unwrap();
    assert_eq!(disk.syncs(), before);
}

#[tokio::test]
async fn an_export_of_a_database_that_was_closed_meanwhile_breaks_off() {
    let (directory, disk) = empty();
    let key = format!("\"{}\"", "k".repeat(4096));
    for n in 0..40 {
        directory.register(&format!("id-{n}"), &key, Refused.into()).await.unwrap();
    }
    let mut export = directory.export();
    assert!(export.next_page().unwrap().records < 40);
    disk.set(|faults| faults.full = true);
    while directory.register("other", &key, Refused.into()).await != UNAVAILABLE {
        directory.reset(vec!["other".try_into().unwrap()]).unwrap();
        directory
            .register(
                "more",
                &format!("\"{}\"", disk.syncs()),
                crate::directory::Replacement::Allowed.into(),
            )
            .await
            .ok();
    }
    assert!(export.next_page().is_err());
    assert!(directory.lookup("id-39").await.unwrap().is_some(), "others do not suffer from it");
}

#[tokio::test]
async fn a_hundred_concurrent_registrations_share_a_commit() {
    let (directory, disk) = empty();
    let before = disk.syncs();
    let first = hold_the_writer(&directory, &disk).await;
    let waiting: Vec<_> = (0..100)
        .map(|n| directory.register(&format!("id-{n}"), r#""k""#, Refused.into()))
        .collect();
    disk.set(|faults| faults.syncs_hang = false);

    assert_eq!(first.await, Ok(Registered::Created));
    for answer in waiting {
        assert_eq!(answer.await, Ok(Registered::Created));
    }
    // Two commits of two phases each, and two syncs because the file grows.
    let syncs = disk.syncs() - before;
    assert!((4..=6).contains(&syncs), "{syncs} syncs");
}

#[tokio::test]
async fn a_key_that_is_already_there_costs_no_fsync() {
    let (directory, disk) = empty();
    directory.register("id", r#""k""#, Refused.into()).await.unwrap();
    let before = disk.syncs();
    assert_eq!(directory.register("id", r#""k""#, Refused.into()).await, Ok(Registered::Kept));
    let other = directory.register("id", r#""l""#, Refused.into()).await;
    assert_eq!(other, Err(RegisterError::Pinned));
    assert_eq!(disk.syncs(), before);
}

#[tokio::test]
async fn a_full_queue_is_unavailable_at_once() {
    let (directory, disk) = empty();
    let first = hold_the_writer(&directory, &disk).await;
    let waiting: Vec<_> = (0..QUEUE_LENGTH)
        .map(|n| directory.register(&format!("id-{n}"), r#""k""#, Refused.into()))
        .collect();

    // The writer still hangs, so an answer now cannot come from it.
    assert_eq!(directory.register("one-more", r#""k""#, Refused.into()).await, UNAVAILABLE);

    disk.set(|faults| faults.syncs_hang = false);
    assert_eq!(first.await, Ok(Registered::Created));
    for answer in waiting {
        assert_eq!(answer.await, Ok(Registered::Created));
    }
}

#[tokio::test]
async fn a_lookup_does_not_wait_for_an_fsync() {
    let (directory, disk) = empty();
    directory.register("id", r#""k""#, Refused.into()).await.unwrap();
    let first = hold_the_writer(&directory, &disk).await;

    assert_eq!(directory.lookup("id").await.unwrap().as_deref(), Some(r#""k""#));
    assert_eq!(directory.lookup("first").await.unwrap(), None, "not durable, so not shown");

    disk.set(|faults| faults.syncs_hang = false);
    first.await.unwrap();
    assert_eq!(directory.lookup("first").await.unwrap().as_deref(), Some(r#""k""#));
}

#[tokio::test]
async fn a_full_disk_refuses_registrations_and_still_answers_lookups() {
    let (directory, disk) = empty();
    directory.register("early", r#""k""#, Refused.into()).await.unwrap();
    disk.set(|faults| faults.full = true);
    let key = format!("\"{}\"", "k".repeat(4096));
    let mut refused = 0;
    for n in 0..40 {
        if directory.register(&format!("id-{n}"), &key, Refused.into()).await == UNAVAILABLE {
            refused += 1;
        }
        assert_eq!(directory.lookup("early").await.unwrap().as_deref(), Some(r#""k""#));
    }
    assert!(refused > 0);

    disk.set(|faults| faults.full = false);
    tokio::time::sleep(RETRY_PAUSE).await;
    assert_eq!(directory.register("late", &key, Refused.into()).await, Ok(Registered::Created));
}

#[tokio::test]
async fn it_recovers_when_the_disk_does() {
    let (directory, disk) = empty();
    directory.register("early", r#""k""#, Refused.into()).await.unwrap();
    disk.set(|faults| faults.broken = true);
    assert_eq!(directory.register("id", r#""k""#, Refused.into()).await, UNAVAILABLE);
    assert_eq!(directory.lookup("early").await, Err(Unavailable));

    disk.set(|faults| faults.broken = false);
    tokio::time::sleep(RETRY_PAUSE).await;
    assert_eq!(directory.lookup("early").await.unwrap().as_deref(), Some(r#""k""#));
    directory.register("id", r#""k""#, Refused.into()).await.unwrap();
}

#[tokio::test]
async fn a_file_damaged_while_open_is_not_used_until_it_is_sound_again() {
    let (directory, disk) = empty();
    directory.register("early", r#""k""#, Refused.into()).await.unwrap();
    let damage = || disk.damage(4096, 512);
    disk.set(|faults| faults.broken = true);
    assert_eq!(directory.register("id", r#""k""#, Refused.into()).await, UNAVAILABLE);

    damage();
    disk.set(|faults| faults.broken = false);
    tokio::time::sleep(RETRY_PAUSE).await;
    assert_eq!(directory.lookup("early").await, Err(Unavailable));
    assert_eq!(directory.register("id", r#""k""#, Refused.into()).await, UNAVAILABLE);

    // Flipping the same bits again restores the old bytes.
    damage();
    tokio::time::sleep(RETRY_PAUSE).await;
    assert_eq!(directory.lookup("early").await.unwrap().as_deref(), Some(r#""k""#));
    directory.register("id", r#""k""#, Refused.into()).await.unwrap();
}

#[tokio::test]
async fn closing_finishes_what_is_queued() {
    let (directory, disk) = empty();
    let directory = Arc::new(directory);
    let first = hold_the_writer(&directory, &disk).await;
    let waiting: Vec<_> =
        (0..50).map(|n| directory.register(&format!("id-{n}"), r#""k""#, Refused.into())).collect();
    let closing = thread::spawn({
        let directory = directory.clone();
        move || directory.close()
    });
    disk.set(|faults| faults.syncs_hang = false);
    closing.join().unwrap();

    assert_eq!(first.await, Ok(Registered::Created));
    for answer in waiting {
        assert_eq!(answer.await, Ok(Registered::Created));
    }
    assert_eq!(directory.register("late", r#""k""#, Refused.into()).await, UNAVAILABLE);
    assert_eq!(directory.lookup("first").await, Err(Unavailable));
    directory.close();

    let again = open_on(&disk);
    assert_eq!(again.lookup("id-49").await.unwrap().as_deref(), Some(r#""k""#));
}
