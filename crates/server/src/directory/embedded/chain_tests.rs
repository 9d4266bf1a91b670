//! Chains on disks that fail, in files that are old, and in files that somebody has changed.

use std::time::{Duration, Instant};

use redb::{ReadableTable as _, WriteTransaction};
use securecall_identity::{Link, Refusal};

use super::database::{begin_write, create, open_storage};
use super::simulated_disk::SimulatedDisk;
use super::tables::{HEADS, KEYS, LINKS};
use super::volume::RETRY_PAUSE;
use crate::directory::Replacement::Refused;
use crate::directory::identities::Owner;
use crate::directory::{
    ChainQuery, Creation, Directory, Embedded, ExtendError, Extended, OpenError, Records, Standing,
    Unavailable,
};

fn open(disk: &SimulatedDisk) -> Result<Embedded, OpenError> {
    let disk = disk.clone();
    Embedded::start(Box::new(move || open_storage(disk.clone())))
}

fn empty_disk() -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    drop(create(disk.clone()).unwrap());
    disk
}

async fn extend(directory: &Embedded, link: &Link) -> Result<Extended, ExtendError> {
    directory.extend(link.clone(), Creation::Allowed).await
}

/// A disk with the inceptions of some ids, and their owners.
async fn begun() -> (SimulatedDisk, Vec<Owner>) {
    let disk = empty_disk();
    let directory = open(&disk).unwrap();
    let owners: Vec<_> = (0..5).map(|n| Owner::of(&format!("id-{n}"))).collect();
    for owner in &owners {
        extend(&directory, &owner.link()).await.unwrap();
    }
    (disk, owners)
}

/// The index says what the disk says.
async fn assert_standing_is_that_of_the_chain(directory: &Embedded, owner: &Owner, when: &str) {
    let id = owner.id();
    let page = directory.chain(id.as_str(), ChainQuery::default()).await.unwrap().unwrap();
    let standing = directory.standing(id.as_str());
    assert_eq!(standing, Standing::Bound(page.head.hash), "{when}");
}

/// A crash at every operation of a commit: the same link again is fine whatever the crash kept, and
/// then another link in its place is refused.
#[tokio::test]
async fn after_a_crash_the_same_link_again_is_fine_and_another_is_refused() {
    let (rehearsal, mut owners) = begun().await;
    let directory = open(&rehearsal).unwrap();
    let opened = rehearsal.operations();
    let (mut one, mut other) = (owners[0].clone(), owners[0].clone());
    let (link, rival) = (one.recover(), other.rotate());
    extend(&directory, &link).await.unwrap();

    let (mut kept, mut lost) = (0, 0);
    for cut in opened..=rehearsal.operations() + 1 {
        let (disk, _) = begun().await;
        let directory = open(&disk).unwrap();
        disk.set(|faults| faults.power_cut_at = Some(cut));
        let answered = extend(&directory, &link).await;
        drop(directory);
        for seed in 0..3 {
            let when = format!("cut {cut}, seed {seed}");
            let directory = open(&disk.after_power_cut(seed)).unwrap();
            assert_standing_is_that_of_the_chain(&directory, &one, &when).await;
            match extend(&directory, &link).await {
                Ok(Extended::Kept(_)) => kept += 1,
                Ok(Extended::Added(_)) => {
                    assert!(answered.is_err(), "{when}: it was acknowledged");
                    lost += 1;
                }
                Err(error) => panic!("{when}: {error}"),
            }
            let refused = extend(&directory, &rival).await;
            assert_eq!(refused, Err(ExtendError::Refused(Refusal::SequenceTaken)), "{when}");
        }
    }
    assert!(kept > 0 && lost > 0, "{kept} kept, {lost} lost");
    let untouched = owners.pop().unwrap();
    assert_standing_is_that_of_the_chain(&directory, &untouched, "at the end").await;
}

/// A commit that failed may have reached the disk. The head before it must let nobody in then.
#[tokio::test]
async fn after_a_failed_commit_nobody_registers_with_the_head_before() {
    let (rehearsal, owners) = begun().await;
    let directory = open(&rehearsal).unwrap();
    let opened = rehearsal.syncs();
    let mut owner = owners[0].clone();
    let old = Standing::Bound(owner.link().position().hash);
    let link = owner.recover();
    extend(&directory, &link).await.unwrap();

    for sync in (opened + 1)..=rehearsal.syncs() {
        let (disk, _) = begun().await;
        let directory = open(&disk).unwrap();
        disk.set(|faults| faults.sync_failure_at = Some(sync));
        if extend(&directory, &link).await.is_ok() {
            continue;
        }
        let standing = directory.standing("id-0");
        if standing == old {
            let page = directory.chain("id-0", ChainQuery::default()).await.unwrap().unwrap();
            assert_eq!(page.links.len(), 1, "sync {sync}: the disk has the new head");
        }
    }
}

#[tokio::test]
async fn while_the_disk_is_gone_the_ids_in_question_are_shut_and_all_others_are_as_they_were() {
    let (disk, mut owners) = begun().await;
    let directory = open(&disk).unwrap();
    let link = owners[0].recover();
    let new = Owner::of("new").link();
    // The disk goes in the middle of a commit.
    disk.set(|faults| faults.syncs_hang = true);
    let answer = directory.extend(link.clone(), Creation::Allowed);
    while !disk.is_syncing() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    disk.set(|faults| (faults.broken, faults.syncs_hang) = (true, false));
    assert_eq!(answer.await, Err(ExtendError::Unavailable(Unavailable)));
    assert_eq!(directory.standing("id-0"), Standing::Unknown);
    let refused = directory.extend(new, Creation::Allowed).await;
    assert_eq!(refused, Err(ExtendError::Unavailable(Unavailable)));
    let other = Standing::Bound(owners[1].link().position().hash);
    assert_eq!(directory.standing("id-1"), other);
    assert_eq!(directory.standing("nobody"), Standing::Unbound);

    disk.set(|faults| faults.broken = false);
    // It is read again without anybody asking.
    let healed_at = Instant::now();
    while directory.standing("id-0") == Standing::Unknown {
        assert!(healed_at.elapsed() < Duration::from_secs(20), "it stays shut");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_standing_is_that_of_the_chain(&directory, &owners[0], "healed").await;
    tokio::time::sleep(RETRY_PAUSE).await;
    extend(&directory, &link).await.unwrap();
    assert_standing_is_that_of_the_chain(&directory, &owners[0], "extended").await;
}

#[tokio::test]
async fn what_was_bound_is_bound_after_a_restart_and_counts() {
    let (disk, mut owners) = begun().await;
    let directory = open(&disk).unwrap();
    extend(&directory, &owners[1].rotate()).await.unwrap();
    extend(&directory, &owners[2].end()).await.unwrap();
    directory.register("id-0", r#""k""#, Refused.into()).await.unwrap();
    drop(directory);

    let directory = open(&disk).unwrap().with_records_max(6);
    assert_eq!(directory.records(), Records { count: 6, max: 6 });
    for owner in [&owners[0], &owners[1]] {
        assert_standing_is_that_of_the_chain(&directory, owner, "restarted").await;
    }
    assert_eq!(directory.standing("id-2"), Standing::Ended);
    let full = extend(&directory, &Owner::of("late").link()).await;
    assert_eq!(full, Err(ExtendError::Full));
    assert_eq!(directory.standing("late"), Standing::Unbound);
    extend(&directory, &owners[1].rotate()).await.unwrap();
}

#[tokio::test]
async fn the_rate_of_rotations_survives_a_restart() {
    let (disk, mut owners) = begun().await;
    let directory = open(&disk).unwrap();
    for _ in 0..4 {
        extend(&directory, &owners[0].rotate()).await.unwrap();
    }
    drop(directory);
    let directory = open(&disk).unwrap();
    let too_soon = extend(&directory, &owners[0].rotate()).await;
    assert!(matches!(too_soon, Err(ExtendError::TooSoon(_))), "{too_soon:?}");
}

#[tokio::test]
async fn a_directory_from_before_there_were_chains_opens_and_takes_them() {
    let disk = SimulatedDisk::default();
    let database = redb::Builder::new().create_with_backend(disk.clone()).unwrap();
    let transaction = begin_write(&database).unwrap();
    transaction.open_table(KEYS).unwrap().insert("old", r#""k""#).unwrap();
    transaction.commit().unwrap();
    drop(database);

    let directory = open(&disk).unwrap();
    assert_eq!(directory.lookup("old").await.unwrap().as_deref(), Some(r#""k""#));
    assert!(directory.chain("old", ChainQuery::default()).await.unwrap().is_none());
    let owner = Owner::of("old");
    extend(&directory, &owner.link()).await.unwrap();
    assert_standing_is_that_of_the_chain(&directory, &owner, "new").await;
    assert_eq!(directory.records().count, 2);
}

/// redb's own checksums find what a disk changes. These rows are sound, and do not belong together.
#[tokio::test]
async fn a_chain_that_is_not_whole_is_refused_at_the_start() {
    type Harm = fn(&WriteTransaction);
    let harms: [(&str, Harm); 7] = [
        ("a head is missing", |transaction| {
            transaction.open_table(HEADS).unwrap().remove("id-1").unwrap();
        }),
        ("a head is of no chain", |transaction| {
            let mut heads = transaction.open_table(HEADS).unwrap();
            let head = heads.get("id-1").unwrap().unwrap().value().1.to_vec();
            heads.insert("id-9", (0, head.as_slice())).unwrap();
        }),
        ("a head is another one's", |transaction| {
            let mut heads = transaction.open_table(HEADS).unwrap();
            let head = heads.get("id-1").unwrap().unwrap().value().1.to_vec();
            heads.insert("id-2", (0, head.as_slice())).unwrap();
        }),
        ("the newest link is missing", |transaction| {
            transaction.open_table(LINKS).unwrap().remove(("id-0", 0, 1)).unwrap();
        }),
        ("the first link is missing", |transaction| {
            transaction.open_table(LINKS).unwrap().remove(("id-1", 0, 0)).unwrap();
        }),
        ("a link has another place", |transaction| {
            let mut links = transaction.open_table(LINKS).unwrap();
            let link = links.remove(("id-0", 0, 1)).unwrap().unwrap().value().to_vec();
            links.insert(("id-0", 0, 2), link.as_slice()).unwrap();
        }),
        ("a bit of a link is another", |transaction| {
            let mut links = transaction.open_table(LINKS).unwrap();
            let mut link = links.get(("id-0", 0, 0)).unwrap().unwrap().value().to_vec();
            // A bit of the time.
            link[20] ^= 1;
            links.insert(("id-0", 0, 0), link.as_slice()).unwrap();
        }),
    ];
    for (what, harm) in harms {
        let (disk, mut owners) = begun().await;
        let directory = open(&disk).unwrap();
        extend(&directory, &owners[0].rotate()).await.unwrap();
        drop(directory);
        let database = open_storage(disk.clone()).unwrap();
        let transaction = begin_write(&database).unwrap();
        harm(&transaction);
        transaction.commit().unwrap();
        drop(database);
        let refused = open(&disk).err();
        assert!(matches!(refused, Some(OpenError::Damaged(_))), "{what}: {refused:?}");
    }
}
